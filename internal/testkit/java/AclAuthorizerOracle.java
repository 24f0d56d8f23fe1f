import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import kafka.security.authorizer.AclAuthorizer;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.utils.SecurityUtils;
import org.apache.kafka.security.authorizer.AclEntry;
import org.apache.kafka.server.authorizer.Action;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.authorizer.AuthorizationResult;
import scala.jdk.javaapi.CollectionConverters;

/**
 * What the AclAuthorizer of the Kafka on the class path (up to 3.9) decides; it does not say by which rule. See
 * AuthorizerCase for cases and answers.
 *
 * No ZooKeeper is needed: a broker hands what it reads there to updateCache, one resource at a time, and so does this.
 */
public final class AclAuthorizerOracle {
    public static void main(String[] args) throws Exception {
        Oracle.serve(AclAuthorizerOracle::answer);
    }

    private static Object answer(JsonNode json) throws Exception {
        AuthorizerCase c = new AuthorizerCase(json);
        AclAuthorizer authorizer = new AclAuthorizer();
        // As in configure, which connects to ZooKeeper afterwards.
        Set<KafkaPrincipal> superUsers = new HashSet<>();
        if (!json.get("superUsers").textValue().isEmpty()) {
            for (String user : json.get("superUsers").textValue().split(";")) {
                superUsers.add(SecurityUtils.parseKafkaPrincipal(user.trim()));
            }
        }
        set(authorizer, "superUsers", scala.collection.immutable.Set.class, CollectionConverters.asScala(superUsers).toSet());
        set(authorizer, "shouldAllowEveryoneIfNoAclIsFound", boolean.class, json.get("allowEveryone").booleanValue());
        Map<ResourcePattern, Set<AclEntry>> acls = new HashMap<>();
        for (AclBinding b : c.bindings) {
            acls.computeIfAbsent(b.pattern(), p -> new HashSet<>()).add(new AclEntry(b.entry()));
        }
        acls.forEach((pattern, entries) -> authorizer.updateCache(pattern,
                new AclAuthorizer.VersionedAcls(CollectionConverters.asScala(entries).toSet(), 1)));
        return c.answers(new AuthorizerCase.Authorizer() {
            @Override
            public void authorize(AuthorizableRequestContext context, Action action, Map<String, Object> answer) {
                answer.put("allowed", authorizer.authorize(context, java.util.List.of(action)).get(0) == AuthorizationResult.ALLOWED);
            }

            @Override
            public boolean authorizeAny(AuthorizableRequestContext context, AclOperation operation, ResourceType type) {
                return authorizer.authorizeByResourceType(context, operation, type) == AuthorizationResult.ALLOWED;
            }
        });
    }

    private static void set(AclAuthorizer authorizer, String variable, Class<?> type, Object value) throws Exception {
        Method setter = AclAuthorizer.class.getDeclaredMethod(variable + "_$eq", type);
        setter.setAccessible(true);
        setter.invoke(authorizer, value);
    }
}
