namespace Kubeless.Worker
{
	/// <summary>The times of one thread, read from the kernel. Only Linux has them: elsewhere the
	/// monitor uses wall time.</summary>
	internal sealed class ThreadTimes
	{
		private readonly int id;
		private readonly byte[] path;
		private readonly byte[] buffer = new byte[512];

		/// <summary>Of the calling thread.</summary>
		internal ThreadTimes()
		{
			id = Libc.ThreadId();
			path = Utf8.Bytes("/proc/self/task/" + id + "/stat\0");
		}

		/// <summary>CPU time used, in ns; -1 if it is not known.</summary>
		internal long Cpu => id == 0 ? -1 : Libc.ThreadCpuTime(id);

		/// <summary>False if the thread runs or waits for a CPU; true if it waits for anything else, or
		/// if that is not known.</summary>
		internal bool IsBlocked
		{
			get
			{
				var length = id == 0 ? 0 : Libc.ReadFile(path, buffer);
				// proc(5): "ID (NAME) STATE …", and NAME may contain anything but is the last in brackets.
				for (var at = length - 3; at > 0; at--)
				{
					if (buffer[at] == ')') return buffer[at + 2] != 'R';
				}
				return true;
			}
		}
	}
}
