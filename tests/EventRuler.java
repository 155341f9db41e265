import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;

/**
 * Asks AWS's own engine, event-ruler, what tests/patterns.py asks ours: one {"pattern", "event"} a line on stdin,
 * one word a line on stdout: `yes`, `no`, or `refused: why`. With `rate FILE SECONDS` it prints how many events a
 * second one machine of all the file's patterns judges. To change what is asked, start in generator/examples/judge.rs.
 */
public class EventRuler {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 3 && arguments[0].equals("rate")) {
            rate(Files.readAllLines(Path.of(arguments[1])), Double.parseDouble(arguments[2]));
            return;
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            // The texts are cut out as they stand: a tree would lose the digits of a number.
            int cut = line.indexOf(",\"event\":{");
            out.println(judge(line.substring("{\"pattern\":".length(), cut), line.substring(cut + 9, line.length() - 1)));
        }
        out.flush();
    }

    private static String judge(String pattern, String event) {
        // addRule would take a `$or` that is none for a field of that name; its compiler says what is wrong.
        String fault = JsonRuleCompiler.check(pattern);
        if (fault != null) {
            return "refused: " + fault.lines().findFirst().orElse("");
        }
        Machine machine = Machine.builder().build();
        try {
            machine.addRule("rule", pattern);
        } catch (Exception e) {
            return "refused: " + e;
        }
        try {
            return machine.rulesForJSONEvent(event).isEmpty() ? "no" : "yes";
        } catch (Exception e) {
            return "failed: " + e;
        }
    }

    private static void rate(List<String> lines, double seconds) throws Exception {
        Machine machine = Machine.builder().build();
        List<JsonNode> events = new ArrayList<>();
        for (String line : lines) {
            JsonNode asked = MAPPER.readTree(line);
            if (asked.has("pattern")) {
                machine.addRule("rule" + events.size() + "-" + line.hashCode(), asked.get("pattern").toString());
            } else {
                events.add(asked.get("event"));
            }
        }
        long end = System.nanoTime() + (long) (seconds * 2e9);
        long begin = 0;
        long judged = 0;
        long matched = 0;
        while (System.nanoTime() < end) {
            if (begin == 0 && System.nanoTime() > end - (long) (seconds * 1e9)) {
                begin = System.nanoTime();  // the first half warms the compiler up
                judged = matched = 0;
            }
            for (JsonNode event : events) {
                matched += machine.rulesForJSONEvent(event).size();
                judged += 1;
            }
        }
        System.out.printf("%.0f events/s, %.3f matches/event%n", judged * 1e9 / (System.nanoTime() - begin), (double) matched / judged);
    }
}
