using Kubeless.Functions;

public class helped
{
	public string handler(Event k8Event, Context k8Context) => words.Word;
}
