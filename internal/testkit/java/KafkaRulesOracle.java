import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;

/**
 * What a broker of the Kafka on the class path accepts. Each case has an "ask";
 * the answer to most is {"error": message}, with "" for what is accepted:
 *
 * <pre>
 * topic      name                    Topic.validate
 * collide    a, b                    Topic.hasCollision: {"yes": bool}
 * configs    set, defaults           LogConfig.validate of a set, tiered storage being on; defaults are
 *                                    the broker's
 * value      key, text               ConfigDef.parseType: {"error", "text", "list"}
 * keys                               LogConfig.configNames: {"keys": [...]}
 * operations                         AclEntry.supportedOperations: {"operations": {type: [...]}}
 * binding    type, pattern, name, principal, host
 *                                    AclControlManager.validateNewAcl, and AclApis' rule about the cluster's name
 * principal  text                    SecurityUtils.parseKafkaPrincipal: {"error", "type", "name"}
 * address    bytes                   InetAddress.getHostAddress: {"text": ...}
 * inRange    address, range          CidrUtils.isInRange: {"yes": bool}
 * </pre>
 *
 * Classes that moved or changed between 3.9 and 4.4 are reached by reflection.
 */
public final class KafkaRulesOracle {
    public static void main(String[] args) throws Exception {
        Oracle.serve(KafkaRulesOracle::answer);
    }

    private static Object answer(JsonNode c) throws Exception {
        switch (c.get("ask").textValue()) {
            case "topic":
                return verdict(() -> Topic.validate(text(c, "name")));
            case "collide":
                return Map.of("yes", Topic.hasCollision(text(c, "a"), text(c, "b")));
            case "configs":
                return verdict(() -> validateConfigs(strings(c.get("set")), strings(c.get("defaults"))));
            case "value":
                return value(text(c, "key"), text(c, "text"));
            case "keys":
                return Map.of("keys", invoke(LOG_CONFIG, null, "configNames"));
            case "operations":
                return Map.of("operations", operations());
            case "binding":
                return verdict(() -> validateBinding(c));
            case "principal":
                return principal(text(c, "text"));
            case "address":
                return Map.of("text", InetAddress.getByAddress(c.get("bytes").binaryValue()).getHostAddress());
            case "inRange":
                return Map.of("yes", invoke("org.apache.kafka.server.authorizer.internals.CidrUtils", null, "isInRange",
                        text(c, "address"), text(c, "range")));
            default:
                throw new IllegalArgumentException(c.toString());
        }
    }

    private static final String LOG_CONFIG = "org.apache.kafka.storage.internals.log.LogConfig";

    private static void validateConfigs(Map<String, String> set, Map<String, String> defaults)
            throws Exception {
        for (Method m : Class.forName(LOG_CONFIG).getMethods()) {
            if (!m.getName().equals("validate")) {
                continue;
            }
            if (m.getParameterCount() == 4) {
                call(m, null, Map.of(), set, defaults, true);
                return;
            }
            if (m.getParameterCount() == 5) { // 3.9: Properties, and whether ZooKeeper is in use
                Properties props = new Properties();
                props.putAll(set);
                call(m, null, Map.of(), props, defaults, true, false);
                return;
            }
        }
        throw new IllegalStateException("no LogConfig.validate");
    }

    private static Object value(String key, String text) throws Exception {
        ConfigDef.Type type = (ConfigDef.Type) ((Optional<?>) invoke(LOG_CONFIG, null, "configType", key)).get();
        try {
            Object parsed = ConfigDef.parseType(key, text, type);
            if (parsed instanceof List) {
                return Map.of("error", "", "list", parsed);
            }
            return Map.of("error", "", "text", String.valueOf(parsed));
        } catch (ConfigException e) {
            return Map.of("error", String.valueOf(e.getMessage()));
        }
    }

    private static Map<String, List<String>> operations() throws Exception {
        Map<String, List<String>> all = new TreeMap<>();
        for (ResourceType type : ResourceType.values()) {
            if (type == ResourceType.UNKNOWN || type == ResourceType.ANY) {
                continue;
            }
            List<String> names = new ArrayList<>();
            for (Object op : (Iterable<?>) invoke("org.apache.kafka.security.authorizer.AclEntry", null, "supportedOperations", type)) {
                names.add((String) invoke(securityUtils(), null, "operationName", op));
            }
            all.put(type.name(), names);
        }
        return all;
    }

    private static void validateBinding(JsonNode c) throws Exception {
        ResourcePattern resource = new ResourcePattern(ResourceType.fromString(text(c, "type")), text(c, "name"),
                PatternType.fromString(text(c, "pattern")));
        AclBinding binding = new AclBinding(resource,
                new AccessControlEntry(text(c, "principal"), text(c, "host"), AclOperation.DESCRIBE, AclPermissionType.ALLOW));
        // AclApis.handleCreateAcls says this before the controller is asked.
        if (resource.resourceType() == ResourceType.CLUSTER && !resource.name().equals("kafka-cluster")) {
            throw new IllegalArgumentException("not the cluster's name");
        }
        for (Method m : Class.forName("org.apache.kafka.controller.AclControlManager").getDeclaredMethods()) {
            if (m.getName().equals("validateNewAcl")) {
                m.setAccessible(true);
                if (m.getParameterCount() == 1) {
                    call(m, null, binding);
                } else {
                    call(m, null, binding, true); // metadata.version has CIDR
                }
                return;
            }
        }
        throw new IllegalStateException("no AclControlManager.validateNewAcl");
    }

    private static Object principal(String text) throws Exception {
        try {
            KafkaPrincipal p = (KafkaPrincipal) invoke(securityUtils(), null, "parseKafkaPrincipal", text);
            return Map.of("error", "", "type", p.getPrincipalType(), "name", p.getName());
        } catch (IllegalArgumentException e) {
            return Map.of("error", String.valueOf(e.getMessage()));
        }
    }

    private static String securityUtils() {
        String moved = "org.apache.kafka.common.utils.internals.SecurityUtils"; // 4.4
        try {
            Class.forName(moved);
            return moved;
        } catch (ClassNotFoundException e) {
            return "org.apache.kafka.common.utils.SecurityUtils";
        }
    }

    private interface Check {
        void run() throws Exception;
    }

    /** A refusal by Kafka is the answer; that something is missing is a fault. */
    private static Object verdict(Check check) throws Exception {
        try {
            check.run();
            return Map.of("error", "");
        } catch (ReflectiveOperationException | IllegalStateException e) {
            throw e;
        } catch (RuntimeException e) {
            return Map.of("error", String.valueOf(e));
        }
    }

    private static Object invoke(String type, Object target, String method, Object... args) throws Exception {
        for (Method m : Class.forName(type).getMethods()) {
            if (m.getName().equals(method) && m.getParameterCount() == args.length) {
                return call(m, target, args);
            }
        }
        throw new IllegalStateException("no " + type + "." + method);
    }

    private static Object call(Method m, Object target, Object... args) throws Exception {
        try {
            return m.invoke(target, args);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException) {
                throw (RuntimeException) e.getCause();
            }
            throw e;
        }
    }

    private static String text(JsonNode c, String field) {
        return c.get(field).textValue();
    }

    private static Map<String, String> strings(JsonNode object) {
        Map<String, String> map = new HashMap<>();
        if (object != null) {
            object.fields().forEachRemaining(e -> map.put(e.getKey(), e.getValue().textValue()));
        }
        return map;
    }
}
