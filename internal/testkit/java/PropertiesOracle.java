import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;
import java.util.Properties;

/**
 * java.util.Properties. {"load": base64} answers {"pairs": {key: value},
 * "halves": whether a string has half of a surrogate pair} or {"error":
 * message}; {"store": {key: value}} answers {"stored": base64}.
 */
public final class PropertiesOracle {
    public static void main(String[] args) throws Exception {
        Oracle.serve(c -> c.has("load") ? load(c.get("load").binaryValue()) : store(c.get("store")));
    }

    private static Object load(byte[] data) throws IOException {
        Loaded p = new Loaded();
        try {
            p.load(new ByteArrayInputStream(data));
        } catch (IllegalArgumentException e) {
            return Map.of("error", e.getMessage());
        }
        return Map.of("pairs", p, "halves", p.halves);
    }

    private static Object store(JsonNode pairs) throws IOException {
        Properties p = new Properties();
        pairs.fields().forEachRemaining(e -> p.setProperty(e.getKey(), e.getValue().textValue()));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        p.store(out, null);
        return Map.of("stored", out.toByteArray());
    }

    /** Looks at every pair, also at those that a later one replaces. */
    private static final class Loaded extends Properties {
        private static final long serialVersionUID = 1L;
        private boolean halves;

        @Override
        public synchronized Object put(Object key, Object value) {
            halves |= half((String) key) || half((String) value);
            return super.put(key, value);
        }

        /** codePoints() yields a surrogate only where it has no partner. */
        private static boolean half(String s) {
            return s.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
        }
    }
}
