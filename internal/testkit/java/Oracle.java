import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * An oracle answers one case with one answer. It reads cases as JSON lines from
 * standard input and writes {"result": answer} for each, in order, or
 * {"fault": stack trace} where answer threw: to say that Java rejects an input
 * is the answer's own business, a fault is a broken oracle.
 */
@FunctionalInterface
public interface Oracle {
    Object answer(JsonNode testCase) throws Exception;

    /** Answers until standard input ends, which ends the JVM. */
    static void serve(Oracle oracle) throws Exception {
        PrintStream stdout = System.out;
        // Whatever a library logs must not come between the answers.
        System.setOut(System.err);
        // Escaping keeps halves of surrogate pairs writable.
        ObjectMapper json = JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(stdout, StandardCharsets.UTF_8));
        BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        readInBackground(lines);
        while (true) {
            String line = lines.take();
            Map<String, Object> reply;
            try {
                reply = Collections.singletonMap("result", oracle.answer(json.readTree(line)));
            } catch (Throwable t) {
                StringWriter trace = new StringWriter();
                t.printStackTrace(new PrintWriter(trace));
                reply = Map.of("fault", trace.toString());
            }
            out.write(json.writeValueAsString(reply));
            out.write('\n');
            if (lines.isEmpty()) {
                out.flush();
            }
        }
    }

    /**
     * Standard input ends when the test process does, whichever way it went. A
     * thread of its own sees that at once, even while an answer never comes.
     */
    private static void readInBackground(BlockingQueue<String> lines) {
        Thread reader = new Thread(() -> {
            try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    lines.add(line);
                }
            } catch (IOException e) {
                // The same as the end.
            }
            System.exit(0);
        });
        reader.setDaemon(true);
        reader.start();
    }
}
