package io.kubeless.worker;

import io.kubeless.Context;
import io.kubeless.Event;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The function: a method that takes an event and a context, and the one object it is called on. */
final class Handler {
	/**
	 * With more classes of its own, a function without a class MOD_NAME is not searched for its only
	 * handler.
	 */
	private static final int MAX_SEARCHED_CLASSES = 200;

	final String name;
	private final Method method;
	private final Object object;

	private Handler(String name, Method method, Object object) {
		this.name = name;
		this.method = method;
		this.object = object;
	}

	/** Throws what the handler throws. */
	Object call(Event event, Context context) throws Throwable {
		try {
			return method.invoke(object, event, context);
		} catch (InvocationTargetException error) {
			throw error.getCause();
		}
	}

	/**
	 * Finds the handler and makes its object. Throws LoadError if there is no such handler, and what
	 * the class throws while it is loaded.
	 *
	 * @param module the class, in any package; `_` may stand for the dots of the package, as in
	 *   Kubeless
	 * @param wanted the method, or the class and the method; empty for the only handler
	 */
	static Handler load(FunctionLoader loader, String module, String wanted) throws Throwable {
		int dot = wanted.lastIndexOf('.');
		String name = wanted.substring(dot + 1);
		String className = dot > 0 ? wanted.substring(0, dot) : module;
		List<String> classes = loader.ownClasses();
		String found = find(classes, className);
		List<Method> candidates = candidates(loader, classes, found);
		Method method = choose(candidates, name);
		if (method == null) throw notFound(candidates, name, found, className, classes.size());
		method.setAccessible(true);
		Class<?> type = Class.forName(found == null ? method.getDeclaringClass().getName() : found, true, loader);
		return new Handler(method.getName(), method, Modifier.isStatic(method.getModifiers()) ? null : make(type));
	}

	/**
	 * Returns the class of that name, or with that last part of its name, in Kubeless's package first;
	 * null if no class has it.
	 */
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

	private static List<Method> candidates(FunctionLoader loader, List<String> classes, String found) throws ClassNotFoundException {
		List<Method> candidates = new ArrayList<>();
		if (found != null) return handlers(Class.forName(found, false, loader));
		if (classes.size() > MAX_SEARCHED_CLASSES) return candidates;
		for (String one : classes) candidates.addAll(handlers(Class.forName(one, false, loader)));
		return candidates;
	}

	private static Method choose(List<Method> candidates, String name) {
		if (name.isEmpty()) return candidates.size() == 1 ? candidates.get(0) : null;
		for (Method method : candidates) {
			if (method.getName().equals(name)) return method;
		}
		return null;
	}

	private static LoadError notFound(List<Method> candidates, String name, String found, String given, int classes) {
		List<String> names = new ArrayList<>();
		for (Method method : candidates) names.add(method.getName());
		Collections.sort(names);
		String where = "The function";
		if (found != null) where = "The class " + found;
		else if (classes > MAX_SEARCHED_CLASSES) where = "There is no class " + given + ", so the function";
		String what = " has no handler " + name;
		if (name.isEmpty()) what = names.isEmpty() ? " has no handler" : " has several handlers, and FUNC_HANDLER is empty";
		return new LoadError(where + what + ". A handler is a method that takes (io.kubeless.Event, io.kubeless.Context).", names);
	}

	/**
	 * Returns the handlers of a class, inherited ones included; of an overridden method only the
	 * overriding one.
	 */
	private static List<Method> handlers(Class<?> type) {
		List<Method> found = new ArrayList<>();
		for (Method method : type.getDeclaredMethods()) addHandler(found, method);
		for (Method method : type.getMethods()) addHandler(found, method);
		return found;
	}

	private static void addHandler(List<Method> found, Method method) {
		Class<?>[] takes = method.getParameterTypes();
		if (takes.length != 2 || takes[0] != Event.class || takes[1] != Context.class || method.isBridge()) return;
		if (Modifier.isPrivate(method.getModifiers()) || Modifier.isAbstract(method.getModifiers())) return;
		if (choose(found, method.getName()) == null) found.add(method);
	}

	private static Object make(Class<?> type) throws Throwable {
		try {
			Constructor<?> constructor = type.getDeclaredConstructor();
			constructor.setAccessible(true);
			return constructor.newInstance();
		} catch (NoSuchMethodException error) {
			String cure = "Add one, or make the handler static.";
			throw new LoadError("The class " + type.getName() + " has no constructor without parameters. " + cure, Collections.emptyList());
		} catch (InvocationTargetException error) {
			throw error.getCause();
		}
	}
}
