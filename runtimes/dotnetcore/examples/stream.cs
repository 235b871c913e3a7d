using System.Collections.Generic;
using System.Threading.Tasks;
using Kubeless.Functions;

public class stream
{
	/// <summary>One line a second, each sent when it is made.</summary>
	public async IAsyncEnumerable<string> handler(Event k8Event, Context k8Context)
	{
		for (var second = 0; second < 5; second++)
		{
			if (second > 0) await Task.Delay(1000);
			yield return $"second {second}\n";
		}
	}
}
