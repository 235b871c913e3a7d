using System.Diagnostics;

namespace Kubeless.Worker
{
	/// <summary>
	/// What the operating system knows of one thread, all in ns. Linux alone has these figures;
	/// elsewhere <see cref="Delay"/> is 0 and <see cref="State"/> unknown, and wall time has to do.
	/// </summary>
	internal sealed class ThreadTimes
	{
		private const double TickNs = 1e9; // per second
		private static readonly double NsPerTick = TickNs / Stopwatch.Frequency;

		private readonly int id;
		private readonly byte[] schedstat;
		private readonly byte[] stat;
		private readonly byte[] buffer = new byte[512];

		/// <summary>Of the calling thread.</summary>
		internal ThreadTimes()
		{
			id = Libc.ThreadId();
			schedstat = Utf8.Bytes("/proc/self/task/" + id + "/schedstat\0");
			stat = Utf8.Bytes("/proc/self/task/" + id + "/stat\0");
		}

		internal static long Wall => (long)(Stopwatch.GetTimestamp() * NsPerTick);

		/// <summary>CPU time used; -1 if it is not known.</summary>
		internal long Cpu => id == 0 ? -1 : Libc.ThreadCpuTime(id);

		/// <summary>Time spent ready to run but without a CPU, up to the last time the thread was given one.</summary>
		internal long Delay
		{
			get
			{
				var length = id == 0 ? 0 : Libc.ReadFile(schedstat, buffer);
				var at = 0;
				while (at < length && buffer[at] != ' ') at++;
				long value = 0;
				for (at++; at < length && buffer[at] != ' '; at++) value = value * 10 + buffer[at] - '0';
				return value;
			}
		}

		/// <summary>R: runs, or waits for a CPU. S, D: is blocked. '?': not known (proc(5)).</summary>
		internal char State
		{
			get
			{
				var length = id == 0 ? 0 : Libc.ReadFile(stat, buffer);
				// "ID (NAME) STATE …": the name may contain anything.
				for (var at = length - 3; at > 0; at--)
				{
					if (buffer[at] == ')') return (char)buffer[at + 2];
				}
				return '?';
			}
		}
	}
}
