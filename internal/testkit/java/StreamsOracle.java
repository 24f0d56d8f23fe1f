import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DeleteRecordsOptions;
import org.apache.kafka.clients.admin.DeleteRecordsResult;
import org.apache.kafka.clients.admin.ForwardingAdmin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.core.config.Property;

/**
 * A Kafka Streams application that counts words, by way of a repartition topic
 * and a changelog. A case is {"properties": configuration without state.dir,
 * "input", "output": topics}. The application runs until one of its threads
 * dies, or until it hears whether it may purge what it has read of the
 * repartition topic. Before it asks for that it has committed, so that by then
 * the counts are written, too. In a streams group (KIP-1071) the broker makes the
 * internal topics, and a member whose principal may not create them waits for ever:
 * there the application runs until it logs that. The answer is {"error": simple
 * names of the exceptions' classes, or "" where it worked}.
 */
public final class StreamsOracle {
    public static void main(String[] args) throws Exception {
        Oracle.serve(StreamsOracle::run);
    }

    private static Object run(JsonNode c) throws Exception {
        Properties p = new Properties();
        p.load(new StringReader(c.get("properties").textValue()));
        p.put("default.key.serde", Serdes.StringSerde.class);
        p.put("default.value.serde", Serdes.StringSerde.class);
        Path dir = Files.createTempDirectory("streams");
        p.put("state.dir", dir.toString());
        CompletableFuture<Throwable> died = new CompletableFuture<>();
        CompletableFuture<Throwable> purged = new CompletableFuture<>();
        StreamsBuilder b = new StreamsBuilder();
        b.<String, String>stream(c.get("input").textValue())
                .map((k, v) -> KeyValue.pair(v, v))
                .groupByKey()
                .count()
                .toStream()
                .mapValues(n -> n.toString())
                .to(c.get("output").textValue());
        RefusalLog log = new RefusalLog(died);
        try (KafkaStreams streams = new KafkaStreams(b.build(), p, new PurgeWatch(purged))) {
            streams.setUncaughtExceptionHandler(e -> {
                died.complete(e);
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.start();
            try {
                CompletableFuture.anyOf(died, purged).get(1, TimeUnit.MINUTES);
            } catch (TimeoutException e) {
                died.complete(e);
            }
            // A member that does not leave holds up the group's next one.
            streams.close(CloseOptions.timeout(Duration.ofSeconds(20)).withGroupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP));
        } finally {
            log.close();
            delete(dir);
        }
        Throwable error = died.isDone() ? died.join() : purged.join();
        return Map.of("error", names(error));
    }

    /** PurgeWatch makes the usual clients, and hears how the first purge went. */
    private static final class PurgeWatch extends DefaultKafkaClientSupplier {
        private final CompletableFuture<Throwable> purged;

        PurgeWatch(CompletableFuture<Throwable> purged) {
            this.purged = purged;
        }

        @Override
        public Admin getAdmin(Map<String, Object> config) {
            return new ForwardingAdmin(config) {
                @Override
                public DeleteRecordsResult deleteRecords(Map<TopicPartition, RecordsToDelete> records, DeleteRecordsOptions options) {
                    DeleteRecordsResult result = super.deleteRecords(records, options);
                    result.all().whenComplete((ok, error) -> purged.complete(error));
                    return result;
                }
            };
        }
    }

    /** RefusalLog hears of topics that the broker does not make for the principal. */
    private static final class RefusalLog extends AbstractAppender implements AutoCloseable {
        private final CompletableFuture<Throwable> refused;
        private final Logger root = (Logger) LogManager.getRootLogger();

        RefusalLog(CompletableFuture<Throwable> refused) {
            super("refusals", null, null, true, Property.EMPTY_ARRAY);
            this.refused = refused;
            Configurator.setRootLevel(Level.WARN);
            start();
            root.addAppender(this);
        }

        @Override
        public void append(LogEvent event) {
            String message = event.getMessage().getFormattedMessage();
            if (message.contains("Unauthorized to CREATE on topics")) {
                refused.complete(new TopicAuthorizationException(message));
            }
        }

        @Override
        public void close() {
            root.removeAppender(this);
            stop();
        }
    }

    private static String names(Throwable e) {
        StringBuilder names = new StringBuilder();
        for (; e != null; e = e.getCause()) {
            names.append(names.isEmpty() ? "" : " ").append(e.getClass().getSimpleName());
        }
        return names.toString();
    }

    private static void delete(Path dir) throws IOException {
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(dir)) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            Files.deleteIfExists(path);
        }
    }
}
