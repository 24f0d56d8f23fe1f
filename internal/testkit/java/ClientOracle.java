import com.fasterxml.jackson.databind.JsonNode;
import java.io.StringReader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Java clients. A case is {"properties": client properties, "do": "produce",
 * "transact" or "consume", "topic": name}; the answer is {"error": simple name
 * of the exception's class, or "" where it worked}.
 */
public final class ClientOracle {
    public static void main(String[] args) throws Exception {
        Oracle.serve(ClientOracle::run);
    }

    private static Object run(JsonNode c) throws Exception {
        Properties p = new Properties();
        p.load(new StringReader(c.get("properties").textValue()));
        p.putIfAbsent("max.block.ms", "30000");
        p.putIfAbsent("delivery.timeout.ms", "30000");
        p.putIfAbsent("request.timeout.ms", "20000");
        String topic = c.get("topic").textValue();
        try {
            if (c.get("do").textValue().equals("consume")) {
                consume(p, topic);
            } else {
                produce(p, topic, c.get("do").textValue().equals("transact"));
            }
            return Map.of("error", "");
        } catch (ExecutionException e) {
            return Map.of("error", name(e.getCause()));
        } catch (KafkaException e) {
            return Map.of("error", name(e));
        }
    }

    /** A producer in a fatal state throws an exception around the one that matters. */
    private static String name(Throwable e) {
        while (e.getClass() == KafkaException.class && e.getCause() != null) {
            e = e.getCause();
        }
        return e.getClass().getSimpleName();
    }

    private static void produce(Properties p, String topic, boolean transact) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(p, new StringSerializer(), new StringSerializer())) {
            if (transact) {
                producer.initTransactions();
                producer.beginTransaction();
            }
            producer.send(new ProducerRecord<>(topic, "k", "v")).get();
            if (transact) {
                producer.commitTransaction();
            }
        }
    }

    private static void consume(Properties p, String topic) {
        p.setProperty("auto.offset.reset", "earliest");
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(topic));
            for (int i = 0; i < 300; i++) {
                if (!consumer.poll(Duration.ofMillis(100)).isEmpty()) {
                    consumer.commitSync();
                    return;
                }
            }
        }
        throw new KafkaException("no record came in 30 s");
    }
}
