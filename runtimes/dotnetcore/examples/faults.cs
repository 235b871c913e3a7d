using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Tasks;
using Kubeless.Functions;

/// <summary>The function of test/chaos, whose README describes it.</summary>
public class faults
{
	private const string Version = "one";
	private static readonly object Notes = new object();

	public async Task<object> notes(Event k8Event, Context k8Context)
	{
		var words = Encoding.UTF8.GetString(k8Event.Bytes).Split('\n')[0].Split(' ');
		var number = int.Parse(words[2]);
		var line = $"{words[0]} {Version}\n";
		Note(line);
		switch (words[1])
		{
			case "echo":
				return k8Event.Bytes;
			case "sleep":
				await Task.Delay(number);
				return line;
			case "stream":
				return Pieces(line, number);
			case "raise":
				throw new ArgumentException(words[0]);
			case "die":
				Process.GetCurrentProcess().Kill();
				return line;
			case "hoard":
				return Marshal.AllocHGlobal((IntPtr)(1L << 50)).ToString();
			case "print":
				var noise = Enumerable.Range(0, number).Select(at => (byte)"{\"\u00ff\0\n"[at % 5]).ToArray();
				Console.OpenStandardOutput().Write(noise, 0, number);
				return line;
			case "spawn":
				Process.Start("sleep", "30");
				return line;
			case "wire":
				foreach (var fd in Sockets()) write(fd, Encoding.UTF8.GetBytes("no frame\n"), (IntPtr)9);
				return line;
			default:
				return string.Concat(Enumerable.Repeat(line, number));
		}
	}

	/// <summary>.NET seeks to the end and does not use O_APPEND: a file for each process.</summary>
	private static void Note(string line)
	{
		var file = $"{Environment.GetEnvironmentVariable("FAULTS_NOTES")}/{Process.GetCurrentProcess().Id}";
		lock (Notes) File.AppendAllText(file, line);
	}

	private static async IAsyncEnumerable<string> Pieces(string line, int count)
	{
		for (var at = 0; at < count; at++)
		{
			await Task.Yield();
			yield return line;
		}
	}

	private static IEnumerable<int> Sockets()
	{
		for (var fd = 3; fd < 1024; fd++)
		{
			var target = new byte[7];
			if ((int)readlink($"/proc/self/fd/{fd}", target, (IntPtr)7) == 7 && Encoding.UTF8.GetString(target) == "socket:") yield return fd;
		}
	}

	[DllImport("libc")]
	private static extern IntPtr write(int fd, byte[] bytes, IntPtr count);

	[DllImport("libc")]
	private static extern IntPtr readlink(string path, byte[] target, IntPtr size);
}
