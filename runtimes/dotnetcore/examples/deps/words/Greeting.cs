namespace Words
{
	public static class Greeting
	{
		public static string For(string name) => $"hello {(name == "" ? "nobody" : name)}, from a package";
	}
}
