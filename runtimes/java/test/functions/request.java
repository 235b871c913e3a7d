import io.kubeless.Context;
import io.kubeless.Event;
import io.kubeless.functions.Request;
import java.util.Map;
import java.util.TreeMap;

public class request {
	public Map<String, String> h(Event event, Context context) {
		Request request = event.getRequest();
		Map<String, String> seen = new TreeMap<>();
		seen.put("data", event.getData().equals(new String(event.getBytes())) ? event.getData() : "two bodies");
		seen.put("type", request.getHeader("Content-Type"));
		seen.put("body", new String(request.getBody()));
		seen.put("length", request.getHeader("Content-Length"));
		return seen;
	}
}
