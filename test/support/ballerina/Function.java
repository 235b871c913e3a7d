import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.concurrent.Executors;

/**
 * What the stand-in for Ballerina's compiler compiles: a server that answers as the runtime's service would, for handlers that it knows by
 * name. It is no Ballerina; test/support/ballerina/bal.mjs puts it into the jar.
 */
public class Function {
	public static void main(String[] args) throws IOException {
		String handler = new String(Function.class.getResourceAsStream("/handler").readAllBytes(), StandardCharsets.UTF_8);
		HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))), 0);
		server.setExecutor(Executors.newCachedThreadPool());
		server.createContext("/", exchange -> answer(handler, exchange));
		server.start();
		System.out.println(handler + " loaded");
	}

	private static void answer(String handler, HttpExchange exchange) throws IOException {
		String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
		Headers headers = exchange.getRequestHeaders();
		String type = String.valueOf(headers.getFirst("Content-Type"));
		if (type.startsWith("application/json") && !body.isEmpty() && !body.endsWith("}")) {
			report(exchange, 400, "BODY_MALFORMED", "it is not JSON");
			return;
		}
		try {
			send(exchange, 200, call(handler, body, headers));
		} catch (Exception thrown) {
			report(exchange, 500, "FUNCTION_THREW", thrown.getMessage());
		}
	}

	private static String call(String handler, String body, Headers headers) throws Exception {
		switch (handler) {
			case "echoes":
				return body;
			case "types":
				return headers.getFirst("Event-Id") + " " + headers.getFirst("Event-Type") + " " + body;
			case "context":
				return String.join(" ", System.getenv("FUNC_HANDLER"), System.getenv("FUNC_TIMEOUT"), System.getenv("FUNC_RUNTIME"));
			case "raises":
				throw new Exception(body);
			case "sleeps":
				Thread.sleep(Integer.parseInt(body));
				return "slept";
			case "prints":
				System.out.println(body);
				System.err.println(body);
				return "printed";
			case "dies":
				Runtime.getRuntime().halt(9);
				return "it did not";
			case "deps":
				StringBuilder config = new StringBuilder();
				for (String file : System.getenv("BAL_CONFIG_FILES").split(":")) config.append(Files.readString(Paths.get(file)));
				return config.toString();
			default:
				return handler;
		}
	}

	private static void report(HttpExchange exchange, int status, String code, String message) throws IOException {
		exchange.getResponseHeaders().set("Kubeless-Error", code);
		exchange.getResponseHeaders().set("Content-Type", "application/json");
		String quoted = message.replace("\\", "\\\\").replace("\"", "\\\"");
		send(exchange, status, "{\"message\":\"" + quoted + "\",\"stack\":\"error(" + quoted.replace("\"", "'") + ")\\n    at function.bal\"}");
	}

	private static void send(HttpExchange exchange, int status, String text) throws IOException {
		byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
		exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
		exchange.getResponseBody().write(bytes);
		exchange.close();
	}
}
