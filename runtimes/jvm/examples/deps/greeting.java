package library;

public class greeting {
	public static String to(String name) {
		return "hello " + name;
	}
}
