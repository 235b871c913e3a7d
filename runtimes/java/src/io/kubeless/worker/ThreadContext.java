package io.kubeless.worker;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/**
 * Gives each call a thread without traces of earlier calls: no ThreadLocal values but those that
 * new threads inherit, the function's class loader, the thread's own name and priority.
 *
 * Java has no public way to clear ThreadLocals. Its own ForkJoinPool sets the same two fields to
 * null.
 */
final class ThreadContext {
	private static final Field LOCALS = field("threadLocals");
	private static final Field INHERITABLE = field("inheritableThreadLocals");

	private final ClassLoader loader;
	/** what InheritableThreadLocals held after loading; null if they held nothing */
	private final Object inherited;
	private final Method copy;

	/** Takes over the context of the calling thread, which has loaded the function. */
	ThreadContext() {
		Thread thread = Thread.currentThread();
		loader = thread.getContextClassLoader();
		try {
			inherited = INHERITABLE.get(thread);
			copy = inherited == null ? null : ThreadLocal.class.getDeclaredMethod("createInheritedMap", inherited.getClass());
			if (copy != null) copy.setAccessible(true);
		} catch (ReflectiveOperationException error) {
			throw unsupported(error);
		}
	}

	/** Returns the thread, prepared to be started by any other. */
	<T extends Thread> T prepared(T thread) {
		thread.setDaemon(true);
		thread.setPriority(Thread.NORM_PRIORITY);
		reset(thread);
		return thread;
	}

	/** Called on the thread itself, between two calls. */
	void reset(Runner runner) {
		reset((Thread) runner);
		if (runner.getPriority() != Thread.NORM_PRIORITY) runner.setPriority(Thread.NORM_PRIORITY);
		runner.resetName();
	}

	private void reset(Thread thread) {
		try {
			if (LOCALS.get(thread) != null) LOCALS.set(thread, null);
			if (copy != null) INHERITABLE.set(thread, copy.invoke(null, inherited));
			else if (INHERITABLE.get(thread) != null) INHERITABLE.set(thread, null);
		} catch (IllegalAccessException | InvocationTargetException error) {
			throw unsupported(error);
		}
		if (thread.getContextClassLoader() != loader) thread.setContextClassLoader(loader);
	}

	private static Field field(String name) {
		try {
			Field field = Thread.class.getDeclaredField(name);
			field.setAccessible(true); // the manifest of the worker's jar opens java.lang
			return field;
		} catch (ReflectiveOperationException error) {
			throw unsupported(error);
		}
	}

	private static IllegalStateException unsupported(Throwable error) {
		return new IllegalStateException("this Java does not let the worker clear ThreadLocals between calls", error);
	}
}
