using System.Threading;

namespace Kubeless.Worker
{
	/// <summary>Looks after the reader while there is work, and costs nothing while there is none.</summary>
	internal sealed class Watch
	{
		private const int Tick = 2; // milliseconds
		/// <summary>Ticks without work after which it rests.</summary>
		private const int Quiet = 10;

		private readonly Runners runners;
		private readonly SemaphoreSlim wakes = new SemaphoreSlim(0);
		private int resting;

		internal Watch(Runners runners)
		{
			this.runners = runners;
		}

		internal void Start() => new Thread(Look) { IsBackground = true, Name = "watch" }.Start();

		/// <summary>There is work again.</summary>
		internal void Stir()
		{
			if (Volatile.Read(ref resting) != 0 && Interlocked.Exchange(ref resting, 0) != 0) wakes.Release();
		}

		private void Look()
		{
			long seen = 0;
			var quiet = 0;
			for (;;)
			{
				Thread.Sleep(Tick);
				runners.Flush();
				var number = runners.ReadersCall;
				if (number != 0 && number == seen) runners.Relieve(number);
				seen = number;
				quiet = runners.IsReading ? quiet + 1 : 0;
				if (quiet < Quiet) continue;
				quiet = 0;
				// Asked after resting is told: the reader does it the other way round, so that one of us sees the other.
				Interlocked.Exchange(ref resting, 1);
				if (runners.IsReading || Interlocked.Exchange(ref resting, 0) == 0) wakes.Wait();
			}
		}
	}
}
