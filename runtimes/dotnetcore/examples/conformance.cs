using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Kubeless.Functions;

/// <summary>The handlers that the conformance vectors call; docs/conformance.md describes
/// each.</summary>
public class conformance
{
	private const string Text = "čšž ελ 日本 🎉";

	static conformance()
	{
		Console.WriteLine("conformance loaded");
	}

	private int number;

	public byte[] echoes(Event k8Event, Context k8Context) => k8Event.Bytes;

	public object types(Event k8Event, Context k8Context) => new
	{
		id = k8Event.EventId,
		type = k8Event.EventType,
		time = k8Event.EventTime,
		@namespace = k8Event.EventNamespace,
		data = k8Event.Data,
		source = k8Event.Extensions["source"],
	};

	public Dictionary<string, string> context(Event k8Event, Context k8Context) => new Dictionary<string, string>
	{
		["function-name"] = k8Context.FunctionName,
		["timeout"] = k8Context.Timeout,
		["runtime"] = k8Context.Runtime,
		["memory-limit"] = k8Context.MemoryLimit,
	};

	public object request(Event k8Event, Context k8Context)
	{
		var request = k8Event.Extensions.HttpRequest;
		return new
		{
			method = request.Method,
			path = request.Path.Value,
			query = (string)request.Query["x"],
			header = (string)request.Headers["X-Name"],
		};
	}

	public string headers(Event k8Event, Context k8Context)
	{
		var response = k8Event.Extensions.HttpResponse;
		response.StatusCode = 201;
		response.ContentType = "text/plain";
		response.Headers["X-Name"] = "Ada";
		response.Headers["Set-Cookie"] = new[] { "a=1", "b=2" };
		return "made";
	}

	public byte[] bytes(Event k8Event, Context k8Context)
	{
		var all = new byte[256];
		for (var i = 0; i < all.Length; i++) all[i] = (byte)i;
		return all;
	}

	public Task<object> big(Event k8Event, Context k8Context)
	{
		var result = new byte[int.Parse(k8Event.Data.ToString())];
		for (var i = 0; i < result.Length; i++) result[i] = (byte)('0' + i % 10);
		return Task.FromResult<object>(result);
	}

	public async IAsyncEnumerable<string> streams(Event k8Event, Context k8Context)
	{
		var words = k8Event.Data.ToString().Split(' ');
		for (var at = 0; at < int.Parse(words[0]); at++)
		{
			if (at > 0) await Task.Delay(int.Parse(words[2]), k8Context.CancellationToken);
			yield return new string((char)('0' + at % 10), int.Parse(words[1]));
		}
		if (words.Length > 3) throw new InvalidOperationException("broken off");
	}

	public object raises(Event k8Event, Context k8Context)
	{
		throw new ArgumentException(Encoding.UTF8.GetString(k8Event.Bytes));
	}

	/// <summary>Nothing can catch Environment.Exit().</summary>
	public object exits(Event k8Event, Context k8Context) => throw new InvalidOperationException("exit");

	public string recurses(Event k8Event, Context k8Context) => recurses(k8Event, k8Context) + ".";

	public object nonsense(Event k8Event, Context k8Context) => new[] { double.NaN };

	public async Task<object> sleeps(Event k8Event, Context k8Context)
	{
		await Task.Delay(int.Parse(k8Event.Data.ToString()));
		return "slept";
	}

	public string prints(Event k8Event, Context k8Context)
	{
		var text = Encoding.UTF8.GetString(k8Event.Bytes);
		Console.WriteLine(text);
		Console.Error.WriteLine(text);
		return "printed";
	}

	public string unicode(Event k8Event, Context k8Context)
	{
		Console.WriteLine(Text);
		if (k8Event.Data is "raise") throw new InvalidOperationException(Text);
		return Text;
	}

	public string stdin(Event k8Event, Context k8Context) => Console.In.ReadToEnd();

	/// <summary>.NET cannot fork.</summary>
	public string spawns(Event k8Event, Context k8Context) => Process.Start("sleep", "30").Id.ToString();

	public int counts(Event k8Event, Context k8Context) => Interlocked.Increment(ref number);

	public string dies(Event k8Event, Context k8Context)
	{
		Process.GetCurrentProcess().Kill();
		Thread.Sleep(1000);
		return "it did not";
	}
}
