import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.AppConfigurationEntry.LoginModuleControlFlag;

/** Login modules as JSON: {"class", "flag", "options"}. */
final class JaasModules {
    private JaasModules() {}

    static List<Map<String, Object>> json(List<AppConfigurationEntry> entries) {
        return entries.stream().map(JaasModules::json).collect(Collectors.toList());
    }

    private static Map<String, Object> json(AppConfigurationEntry entry) {
        // A null key, which Kafka's parser can make, has no place in JSON.
        Map<String, Object> options = new LinkedHashMap<>(entry.getOptions());
        options.remove(null);
        return Map.of("class", entry.getLoginModuleName(), "flag", flag(entry.getControlFlag()), "options", options);
    }

    private static String flag(LoginModuleControlFlag flag) {
        List<LoginModuleControlFlag> flags = Arrays.asList(LoginModuleControlFlag.REQUIRED,
            LoginModuleControlFlag.REQUISITE, LoginModuleControlFlag.SUFFICIENT, LoginModuleControlFlag.OPTIONAL);
        return List.of("required", "requisite", "sufficient", "optional").get(flags.indexOf(flag));
    }
}
