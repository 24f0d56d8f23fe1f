import java.util.Map;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.server.policy.CreateTopicPolicy;

/** A site's own policy (KIP-108): a topic whose name holds "refused" is refused. Brokers load it, it is no oracle. */
public final class RefusingPolicy implements CreateTopicPolicy {
    @Override
    public void configure(Map<String, ?> configs) {}

    @Override
    public void validate(RequestMetadata request) {
        if (request.topic().contains("refused")) {
            throw new PolicyViolationException("names with \"refused\" are against the rules of this site");
        }
    }

    @Override
    public void close() {}
}
