using System.Collections.Generic;
using System.Threading.Tasks;
using Kubeless.Functions;

public class count
{
	public async IAsyncEnumerable<string> handler(Event k8Event, Context k8Context)
	{
		for (var number = 1; number <= 3; number++)
		{
			yield return $"{number}\n";
			await Task.Delay(100); // ms
		}
	}
}
