using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Kubeless.Worker
{
	/// <summary>The body of the response that a function writes to. Each write is sent at
	/// once.</summary>
	internal sealed class ResponseStream : Stream
	{
		private readonly Call call;
		private readonly Exchange exchange;
		private readonly Frame frame = new Frame();
		private readonly SemaphoreSlim turn = new SemaphoreSlim(1);

		internal ResponseStream(Call call, Exchange exchange)
		{
			this.call = call;
			this.exchange = exchange;
		}

		public override bool CanRead => false;
		public override bool CanSeek => false;
		public override bool CanWrite => true;
		public override long Length => throw new NotSupportedException();

		public override long Position
		{
			get => throw new NotSupportedException();
			set => throw new NotSupportedException();
		}

		public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation = default)
		{
			await turn.WaitAsync(cancellation).ConfigureAwait(false);
			try
			{
				if (!exchange.HasStarted)
				{
					await exchange.Starting().ConfigureAwait(false);
					var head = Result.Head(frame, call, null, -1);
					exchange.Start();
					call.Calls.Send(call, head);
				}
				if (!await Result.SendChunks(frame, call, bytes).ConfigureAwait(false))
				{
					throw new OperationCanceledException("The call was cancelled: the caller has gone, or FUNC_TIMEOUT is over.");
				}
			}
			finally
			{
				turn.Release();
			}
		}

		public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellation) =>
			WriteAsync(buffer.AsMemory(offset, count), cancellation).AsTask();

		public override void Write(byte[] buffer, int offset, int count) =>
			WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

		public override Task FlushAsync(CancellationToken cancellation) => WriteAsync(default, cancellation).AsTask();

		public override void Flush() => Write(Array.Empty<byte>(), 0, 0);

		public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

		public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

		public override void SetLength(long value) => throw new NotSupportedException();
	}
}
