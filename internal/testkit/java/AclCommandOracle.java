import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs kafka-acls. A case is the list of its arguments; the answer is
 * {"exit": code, "output": what it printed}. The class is AclCommand of the
 * Kafka on the class path: org.apache.kafka.tools since 4.0, before kafka.admin,
 * and the jar of the former is not part of every installation.
 */
public final class AclCommandOracle {
    /** What the command asks for in place of ending the JVM. */
    private static final class Exited extends Error {
        private static final long serialVersionUID = 1;
        final int code;

        Exited(int code) {
            this.code = code;
        }
    }

    public static void main(String[] args) throws Exception {
        Exit.setExitProcedure((code, message) -> {
            throw new Exited(code);
        });
        Method command = command().getMethod("main", String[].class);
        Oracle.serve(c -> run(command, c));
    }

    private static Class<?> command() throws ClassNotFoundException {
        try {
            return Class.forName("org.apache.kafka.tools.AclCommand");
        } catch (ClassNotFoundException e) {
            return Class.forName("kafka.admin.AclCommand");
        }
    }

    private static Object run(Method command, JsonNode c) throws Exception {
        List<String> args = new ArrayList<>();
        c.forEach(arg -> args.add(arg.textValue()));
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream both = new PrintStream(printed, true, StandardCharsets.UTF_8);
        System.setOut(both);
        System.setErr(both);
        int code = 0;
        try {
            command.invoke(null, (Object) args.toArray(new String[0]));
        } catch (InvocationTargetException e) {
            if (!(e.getCause() instanceof Exited)) {
                throw e;
            }
            code = ((Exited) e.getCause()).code;
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        return Map.of("exit", code, "output", printed.toString(StandardCharsets.UTF_8));
    }
}
