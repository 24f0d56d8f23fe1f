import java.util.Map;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;

/**
 * What a Kafka client makes of sasl.jaas.config. {"text"} answers {"modules"}
 * or {"error"}.
 */
public final class JaasPropertyOracle {
    public static void main(String[] args) throws Exception {
        Oracle.serve(c -> {
            Password value = new Password(c.get("text").textValue());
            try {
                JaasContext context = JaasContext.loadClientContext(Map.of(SaslConfigs.SASL_JAAS_CONFIG, value));
                return Map.of("modules", JaasModules.json(context.configurationEntries()));
            } catch (IllegalArgumentException | KafkaException e) {
                return Map.of("error", String.valueOf(e.getMessage()));
            }
        });
    }
}
