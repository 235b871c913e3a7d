package io.kubeless.worker;

import io.kubeless.Context;
import io.kubeless.Event;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The function: a method that takes an event and a context, and the one object it is a method of. */
final class Handler {
	/** own classes beyond which nobody can mean "the only handler there is" */
	private static final int FEW = 200;

	final String name;
	private final Method method;
	private final Object object;

	private Handler(String name, Method method, Object object) {
		this.name = name;
		this.method = method;
		this.object = object;
	}

	Object call(Event event, Context context) throws Throwable {
		try {
			return method.invoke(object, event, context);
		} catch (InvocationTargetException error) {
			throw error.getCause();
		}
	}

	/** Why there is no handler; the names are of those there are. */
	static final class NotFound extends Exception {
		private static final long serialVersionUID = 1;
		final transient List<String> handlers;

		NotFound(String message, List<String> handlers) {
			super(message, null, false, false);
			this.handlers = handlers;
		}
	}

	/**
	 * Finds and makes the handler.
	 *
	 * @param module the class, in any package; dots may be written as _, as Kubeless wants them
	 * @param wanted the method's name, or the class's and its; empty for the only one there is
	 */
	static Handler load(FunctionLoader loader, String module, String wanted) throws Throwable {
		List<String> classes = loader.ownClasses();
		int dot = wanted.lastIndexOf('.');
		String name = wanted.substring(dot + 1);
		String given = dot > 0 ? wanted.substring(0, dot) : module;
		List<Method> candidates = new ArrayList<>();
		String named = find(classes, given);
		if (named != null) {
			candidates.addAll(handlers(loader.loadClass(named)));
		} else if (classes.size() <= FEW) {
			for (String one : classes) candidates.addAll(handlers(Class.forName(one, false, loader)));
		}
		List<String> names = new ArrayList<>();
		Method found = null;
		for (Method method : candidates) {
			names.add(method.getName());
			if (method.getName().equals(name) || name.isEmpty() && candidates.size() == 1) found = method;
		}
		if (found == null) {
			Collections.sort(names);
			String where = named != null ? "The class " + named : classes.size() <= FEW ? "The function" : "There is no class " + given + ", so it";
			String what = name.isEmpty()
					? names.isEmpty() ? " has no handler" : " has more than one handler, and FUNC_HANDLER does not say which"
					: " has no handler " + name;
			throw new NotFound(where + what + ": a public method that takes (io.kubeless.Event, io.kubeless.Context).", names);
		}
		found.setAccessible(true);
		return new Handler(found.getName(), found, Modifier.isStatic(found.getModifiers()) ? null : make(found.getDeclaringClass(), loader, named));
	}

	/** The class that is meant: by its whole name, else by the last part of it, in Kubeless's package first. */
	private static String find(List<String> classes, String given) {
		String dotted = given.replace('_', '.');
		for (String name : new String[] {given, dotted, "io.kubeless." + given, "io.kubeless." + dotted}) {
			if (classes.contains(name)) return name;
		}
		for (String name : classes) {
			if (name.endsWith('.' + given)) return name;
		}
		return null;
	}

	private static List<Method> handlers(Class<?> type) {
		List<Method> found = new ArrayList<>();
		for (Method method : type.getDeclaredMethods()) inherit(found, method);
		for (Method method : type.getMethods()) inherit(found, method);
		return found;
	}

	private static void inherit(List<Method> found, Method method) {
		Class<?>[] takes = method.getParameterTypes();
		if (takes.length != 2 || takes[0] != Event.class || takes[1] != Context.class || method.isBridge()) return;
		if (Modifier.isPrivate(method.getModifiers()) || Modifier.isAbstract(method.getModifiers())) return;
		for (Method known : found) {
			if (known.getName().equals(method.getName())) return;
		}
		found.add(method);
	}

	private static Object make(Class<?> type, ClassLoader loader, String named) throws Throwable {
		Class<?> loaded = Class.forName(type.getName(), true, loader);
		Class<?> wanted = named == null ? loaded : Class.forName(named, true, loader);
		try {
			java.lang.reflect.Constructor<?> constructor = wanted.getDeclaredConstructor();
			constructor.setAccessible(true);
			return constructor.newInstance();
		} catch (NoSuchMethodException error) {
			throw new NotFound("The class " + wanted.getName() + " has no constructor without parameters: give it one, or make the handler static.",
					Collections.emptyList());
		} catch (InvocationTargetException error) {
			throw error.getCause();
		}
	}
}
