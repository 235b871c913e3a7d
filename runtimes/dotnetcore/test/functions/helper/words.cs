public static class words
{
	public const string Word = "the word";
}
