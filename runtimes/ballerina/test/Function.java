import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.concurrent.Executors;

/**
 * What the stand-in for Ballerina's compiler compiles: a server that answers as the runtime's
 * service would, for handlers that it knows by name. It is no Ballerina; bal.mjs puts it into the
 * jar.
 */
public class Function {
	private static String[] config = {};

	/** Has the arguments of the command `ballerina`: run [--config FILE] PROGRAM. A jar has none. */
	public static void main(String[] args) throws IOException {
		String handler;
		if (args.length == 0) {
			handler = new String(Function.class.getResourceAsStream("/handler").readAllBytes(), StandardCharsets.UTF_8);
			if (System.getenv("BAL_CONFIG_FILES") != null) config = System.getenv("BAL_CONFIG_FILES").split(":");
		} else {
			handler = Files.readString(Paths.get(args[args.length - 1]));
			if (args.length == 4 && args[1].equals("--config")) config = new String[] {args[2]};
		}
		HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))), 0);
		server.setExecutor(Executors.newCachedThreadPool());
		server.createContext("/", exchange -> answer(handler, exchange));
		server.start();
		System.out.println(handler + " loaded");
	}

	private static void answer(String handler, HttpExchange exchange) throws IOException {
		byte[] bytes = exchange.getRequestBody().readAllBytes();
		String body = new String(bytes, StandardCharsets.UTF_8);
		String type = String.valueOf(exchange.getRequestHeaders().getFirst("Content-Type"));
		if (type.startsWith("application/json") && !body.isEmpty() && !body.endsWith("}")) {
			report(exchange, 400, "BODY_MALFORMED", "it is not JSON");
			return;
		}
		if (handler.equals("streams")) {
			stream(exchange, body.split(" "));
			return;
		}
		try {
			send(exchange, 200, handler.equals("echoes") ? bytes : call(handler, body, exchange.getRequestHeaders()).getBytes(StandardCharsets.UTF_8));
		} catch (InterruptedException | RuntimeException thrown) {
			report(exchange, 500, "FUNCTION_THREW", thrown.getMessage());
		}
	}

	private static String call(String handler, String body, Headers headers) throws IOException, InterruptedException {
		switch (handler) {
			case "types":
				return headers.getFirst("Event-Id") + " " + headers.getFirst("Event-Type") + " " + body;
			case "context":
				return String.join(" ", System.getenv("FUNC_HANDLER"), System.getenv("FUNC_TIMEOUT"), System.getenv("FUNC_RUNTIME"));
			case "raises":
				throw new IllegalArgumentException(body);
			case "sleeps":
				Thread.sleep(Integer.parseInt(body));
				return "slept";
			case "prints":
				System.out.println(body);
				System.err.println(body);
				return "printed";
			case "unicode":
				System.out.println("čšž ελ 日本 🎉");
				return "čšž ελ 日本 🎉";
			case "spawns":
				return String.valueOf(new ProcessBuilder("sleep", "30").inheritIO().start().pid());
			case "dies":
				new ProcessBuilder("kill", "-9", String.valueOf(ProcessHandle.current().pid())).start().waitFor();
				return "it did not";
			case "deps":
				StringBuilder text = new StringBuilder();
				for (String file : config) text.append(Files.readString(Paths.get(file)));
				return text.toString();
			case "process":
				String parent = ProcessHandle.current().parent().flatMap(process -> process.info().command()).orElse("");
				return parent + " " + String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments());
			default:
				return handler;
		}
	}

	/**
	 * Streams pieces: their number, their characters, the ms between them; a fourth word breaks it
	 * off.
	 */
	private static void stream(HttpExchange exchange, String[] words) throws IOException {
		exchange.sendResponseHeaders(200, 0);
		OutputStream out = exchange.getResponseBody();
		for (int at = 0; at < Integer.parseInt(words[0]); at++) {
			byte[] piece = new byte[Integer.parseInt(words[1])];
			Arrays.fill(piece, (byte) ('0' + at % 10));
			if (at > 0) pause(Integer.parseInt(words[2]));
			out.write(piece);
			out.flush();
		}
		if (words.length > 3) throw new IOException("broken off");
		exchange.close();
	}

	private static void pause(int ms) throws IOException {
		try {
			Thread.sleep(ms);
		} catch (InterruptedException interrupted) {
			throw new IOException(interrupted);
		}
	}

	private static void report(HttpExchange exchange, int status, String code, String message) throws IOException {
		exchange.getResponseHeaders().set("Kubeless-Error", code);
		exchange.getResponseHeaders().set("Content-Type", "application/json");
		String quoted = message.replace("\\", "\\\\").replace("\"", "\\\"");
		String words = "{\"message\":\"" + quoted + "\",\"stack\":\"error(" + quoted.replace("\"", "'") + ")\\n    at function.bal\"}";
		send(exchange, status, words.getBytes(StandardCharsets.UTF_8));
	}

	private static void send(HttpExchange exchange, int status, byte[] bytes) throws IOException {
		exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
		exchange.getResponseBody().write(bytes);
		exchange.close();
	}
}
