import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.metadata.authorizer.StandardAcl;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;
import org.apache.kafka.metadata.authorizer.StandardAuthorizerData;
import org.apache.kafka.server.authorizer.Action;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.authorizer.AuthorizationResult;

/**
 * What the StandardAuthorizer of the Kafka on the class path decides, and by which rule: "super-user", "acl",
 * "no-acl" or "default-deny". See AuthorizerCase for cases and answers.
 *
 * The authorizer is configured and loaded as a broker does it; what authorize does not return, the rule that it
 * writes to the audit log, is asked of the private method that finds it.
 */
public final class StandardAuthorizerOracle {
    public static void main(String[] args) throws Exception {
        Oracle.serve(StandardAuthorizerOracle::answer);
    }

    private static Object answer(JsonNode json) throws Exception {
        AuthorizerCase c = new AuthorizerCase(json);
        Loaded authorizer = new Loaded();
        authorizer.configure(Map.of("node.id", "1", "super.users", json.get("superUsers").textValue(),
                "allow.everyone.if.no.acl.found", json.get("allowEveryone").asText()));
        Map<Uuid, StandardAcl> acls = new HashMap<>();
        for (AclBinding b : c.distinctBindings()) {
            acls.put(Uuid.randomUuid(), StandardAcl.fromAclBinding(b));
        }
        authorizer.loadSnapshot(acls);
        authorizer.completeInitialLoad();
        return c.answers(new AuthorizerCase.Authorizer() {
            @Override
            public void authorize(AuthorizableRequestContext context, Action action, Map<String, Object> answer) throws Exception {
                StandardAuthorizerData data = authorizer.data();
                answer.put("allowed", data.authorize(context, action) == AuthorizationResult.ALLOWED);
                @SuppressWarnings("unchecked")
                Set<String> superUsers = (Set<String>) get(StandardAuthorizerData.class, data, "superUsers");
                if (superUsers.contains(context.principal().toString())) {
                    answer.put("rule", "super-user");
                    return;
                }
                Object rule = findAclRule(data, context, action);
                if (rule == get(StandardAuthorizerData.class, data, "noAclRule")) {
                    answer.put("rule", "no-acl");
                } else if (rule.getClass().getSimpleName().equals("DefaultRule")) {
                    answer.put("rule", "default-deny");
                } else {
                    answer.put("rule", "acl");
                    answer.put("binding", c.bindings.indexOf(((StandardAcl) get(rule.getClass(), rule, "acl")).toBinding()));
                }
            }

            @Override
            public boolean authorizeAny(AuthorizableRequestContext context, AclOperation operation, ResourceType type) {
                return authorizer.authorizeByResourceType(context, operation, type) == AuthorizationResult.ALLOWED;
            }
        });
    }

    private static Object findAclRule(StandardAuthorizerData data, AuthorizableRequestContext context, Action action) throws Exception {
        Method principals = StandardAuthorizerData.class.getDeclaredMethod("matchingPrincipals", AuthorizableRequestContext.class);
        principals.setAccessible(true);
        Method find = StandardAuthorizerData.class.getDeclaredMethod("findAclRule", Set.class, String.class, Action.class);
        find.setAccessible(true);
        try {
            return find.invoke(data, principals.invoke(null, context), context.clientAddress().getHostAddress(), action);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException) {
                throw (RuntimeException) e.getCause();
            }
            throw e;
        }
    }

    private static Object get(Class<?> type, Object object, String field) throws Exception {
        Field f = type.getDeclaredField(field);
        f.setAccessible(true);
        return f.get(object);
    }

    /** Without the metrics, which need a whole broker. */
    private static final class Loaded extends StandardAuthorizer {
        StandardAuthorizerData data() throws Exception {
            return (StandardAuthorizerData) get(StandardAuthorizer.class, this, "data");
        }

        @Override
        public List<AuthorizationResult> authorize(AuthorizableRequestContext context, List<Action> actions) {
            List<AuthorizationResult> results = new ArrayList<>();
            for (Action action : actions) {
                try {
                    results.add(data().authorize(context, action));
                } catch (RuntimeException e) {
                    throw e;
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }
            return results;
        }
    }
}
