import com.fasterxml.jackson.databind.JsonNode;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.server.authorizer.Action;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;

/**
 * What the oracles of authorizers have in common. A case is
 *
 * <pre>
 * superUsers     the text of super.users
 * allowEveryone  bool
 * bindings       [{type, pattern, operation, permission: codes of the protocol; name, principal, host: text}]
 * questions      [{principalType, principal, host, type, name, operation, any: bool}]
 * </pre>
 *
 * and its answer a list of {"allowed": bool, "rule": text, "binding": index or -1}, or {"rule": "fails", "why": text}
 * where the authorizer throws or never answers. With "any" the question is authorizeByResourceType, and the name plays
 * no part.
 */
final class AuthorizerCase {
    /** Loops are told from work by how often the authorizer looks at the question. */
    private static final int ENDLESS = 100_000;

    final List<AclBinding> bindings = new ArrayList<>();
    final JsonNode json;

    AuthorizerCase(JsonNode json) {
        this.json = json;
        for (JsonNode b : json.get("bindings")) {
            bindings.add(new AclBinding(
                    new ResourcePattern(type(b), b.get("name").textValue(), PatternType.fromCode((byte) b.get("pattern").intValue())),
                    new AccessControlEntry(b.get("principal").textValue(), b.get("host").textValue(), operation(b),
                            AclPermissionType.fromCode((byte) b.get("permission").intValue()))));
        }
    }

    /** Without duplicates, as brokers store them. */
    Set<AclBinding> distinctBindings() {
        return new HashSet<>(bindings);
    }

    interface Authorizer {
        /** Puts allowed, and rule and binding where it knows them. */
        void authorize(AuthorizableRequestContext context, Action action, Map<String, Object> answer) throws Exception;

        boolean authorizeAny(AuthorizableRequestContext context, AclOperation operation, ResourceType type) throws Exception;
    }

    List<Map<String, Object>> answers(Authorizer authorizer) throws Exception {
        List<Map<String, Object>> answers = new ArrayList<>();
        for (JsonNode q : json.get("questions")) {
            AuthorizableRequestContext context = context(q);
            Map<String, Object> answer = new LinkedHashMap<>();
            answers.add(answer);
            answer.put("binding", -1);
            try {
                if (q.get("any").booleanValue()) {
                    answer.put("allowed", authorizer.authorizeAny(context, operation(q), type(q)));
                } else {
                    authorizer.authorize(context, new CountedAction(operation(q), new ResourcePattern(type(q), q.get("name").textValue(),
                            PatternType.LITERAL)), answer);
                }
            } catch (EndlessLoop | IllegalArgumentException | IndexOutOfBoundsException e) {
                answer.put("allowed", false);
                answer.put("rule", "fails");
                answer.put("why", String.valueOf(e));
            }
        }
        return answers;
    }

    static ResourceType type(JsonNode node) {
        return ResourceType.fromCode((byte) node.get("type").intValue());
    }

    static AclOperation operation(JsonNode node) {
        return AclOperation.fromCode((byte) node.get("operation").intValue());
    }

    private static final class EndlessLoop extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private static final class CountedAction extends Action {
        private final ResourcePattern pattern;
        private int looks;

        CountedAction(AclOperation operation, ResourcePattern pattern) {
            super(operation, pattern, 1, true, true);
            this.pattern = pattern;
        }

        @Override
        public ResourcePattern resourcePattern() {
            if (++looks > ENDLESS) {
                throw new EndlessLoop();
            }
            return pattern;
        }
    }

    private static AuthorizableRequestContext context(JsonNode q) throws Exception {
        KafkaPrincipal principal = new KafkaPrincipal(q.get("principalType").textValue(), q.get("principal").textValue());
        InetAddress address = InetAddress.getByName(q.get("host").textValue());
        return new AuthorizableRequestContext() {
            @Override
            public String listenerName() {
                return "SASL_SSL";
            }

            @Override
            public SecurityProtocol securityProtocol() {
                return SecurityProtocol.SASL_SSL;
            }

            @Override
            public KafkaPrincipal principal() {
                return principal;
            }

            @Override
            public InetAddress clientAddress() {
                return address;
            }

            @Override
            public int requestType() {
                return 0;
            }

            @Override
            public int requestVersion() {
                return 0;
            }

            @Override
            public String clientId() {
                return "";
            }

            @Override
            public int correlationId() {
                return 0;
            }
        };
    }
}
