import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.NoSuchAlgorithmException;
import java.security.URIParameter;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;

/**
 * What the JDK makes of a JAAS file. {"text", "properties"} answers
 * {"contexts": {name: modules}} or {"error"}. The properties are set as system
 * properties and stay.
 *
 * Configuration has no way to list its contexts, so this looks into its fields;
 * the JVM needs --add-opens for their two packages.
 */
public final class JaasFileOracle {
    public static void main(String[] args) throws Exception {
        Path file = Files.createTempFile("holdfast-jaas", ".conf");
        file.toFile().deleteOnExit();
        Oracle.serve(c -> answer(c, file));
    }

    private static Object answer(JsonNode c, Path file) throws Exception {
        c.path("properties").fields().forEachRemaining(e -> System.setProperty(e.getKey(), e.getValue().textValue()));
        Files.write(file, c.get("text").textValue().getBytes(StandardCharsets.UTF_8));
        Configuration configuration;
        try {
            configuration = Configuration.getInstance("JavaLoginConfig", new URIParameter(file.toUri()));
        } catch (NoSuchAlgorithmException | IllegalArgumentException e) {
            // getInstance wraps what the parser throws.
            Throwable cause = e.getCause() == null ? e : e.getCause();
            return Map.of("error", String.valueOf(cause.getMessage()));
        }
        @SuppressWarnings("unchecked")
        Map<String, List<AppConfigurationEntry>> contexts =
            (Map<String, List<AppConfigurationEntry>>) field(field(configuration, "spi"), "configuration");
        Map<String, Object> answer = new TreeMap<>();
        // A name that is no text is null, which nobody can ask for.
        contexts.forEach((name, modules) -> {
            if (name != null) {
                answer.put(name, JaasModules.json(modules));
            }
        });
        return Map.of("contexts", answer);
    }

    private static Object field(Object object, String name) throws ReflectiveOperationException {
        Field field = object.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(object);
    }
}
