package io.kubeless.worker;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The properties of a class, for JSON: a record's components; otherwise public fields and getters,
 * in the order of the fields.
 */
final class Properties implements Iterable<Properties.Property> {
	static final ClassValue<Properties> OF = new ClassValue<Properties>() {
		@Override
		protected Properties computeValue(Class<?> type) {
			return new Properties(type);
		}
	};

	private final List<Property> list;

	private Properties(Class<?> type) {
		Map<String, Property> found = new LinkedHashMap<>();
		boolean record = type.getSuperclass() != null && type.getSuperclass().getName().equals("java.lang.Record"); // Java 16
		Map<String, Method> getters = record ? accessors(type) : getters(type);
		for (Class<?> one : hierarchy(type)) {
			for (Field field : one.getDeclaredFields()) {
				if (Modifier.isStatic(field.getModifiers()) || field.isSynthetic()) continue;
				Method getter = getters.get(field.getName());
				boolean isPublic = Modifier.isPublic(field.getModifiers()) && !Modifier.isTransient(field.getModifiers());
				if (getter != null) found.put(field.getName(), new Property(field.getName(), getter));
				else if (isPublic) found.put(field.getName(), new Property(field.getName(), field));
			}
		}
		if (!record) getters.forEach((name, getter) -> found.putIfAbsent(name, new Property(name, getter)));
		list = new ArrayList<>(found.values());
	}

	boolean isEmpty() {
		return list.isEmpty();
	}

	@Override
	public Iterator<Property> iterator() {
		return list.iterator();
	}

	/**
	 * Returns the classes that an object is made of, the outermost first; without those of Java
	 * itself.
	 */
	private static List<Class<?>> hierarchy(Class<?> type) {
		List<Class<?>> classes = new ArrayList<>();
		for (Class<?> one = type; one != null && !isJavas(one); one = one.getSuperclass()) classes.add(0, one);
		return classes;
	}

	private static boolean isJavas(Class<?> type) {
		String name = type.getName();
		return name.startsWith("java.") || name.startsWith("javax.") || name.startsWith("jdk.") || name.startsWith("sun.");
	}

	private static Map<String, Method> accessors(Class<?> type) {
		Map<String, Method> found = new LinkedHashMap<>();
		for (Method method : type.getDeclaredMethods()) {
			if (method.getParameterCount() == 0 && !Modifier.isStatic(method.getModifiers())) found.put(method.getName(), method);
		}
		return found;
	}

	private static Map<String, Method> getters(Class<?> type) {
		Map<String, Method> found = new LinkedHashMap<>();
		Method[] methods = type.getMethods();
		Arrays.sort(methods, Comparator.comparing(Method::getName)); // Java gives them in no order
		for (Method method : methods) {
			String name = propertyName(method);
			if (name != null) found.putIfAbsent(name, method);
		}
		return found;
	}

	/** Returns `name` for getName() and, of a boolean, isName(); null for other methods. */
	private static String propertyName(Method method) {
		Class<?> returns = method.getReturnType();
		if (method.getParameterCount() > 0 || returns == void.class || Modifier.isStatic(method.getModifiers())) return null;
		if (method.isBridge() || isJavas(method.getDeclaringClass())) return null;
		String name = method.getName();
		int prefix = name.startsWith("get") ? 3 : name.startsWith("is") && returns == boolean.class ? 2 : 0;
		if (prefix == 0 || name.length() == prefix || Character.isLowerCase(name.charAt(prefix))) return null;
		String rest = name.substring(prefix);
		boolean acronym = rest.length() > 1 && Character.isUpperCase(rest.charAt(1)); // getURL() is `URL`, as in java.beans
		return acronym ? rest : Character.toLowerCase(rest.charAt(0)) + rest.substring(1);
	}

	static final class Property {
		final String name;
		private final Member member;

		Property(String name, Field field) {
			this.name = name;
			this.member = field;
			field.setAccessible(true);
		}

		Property(String name, Method getter) {
			this.name = name;
			this.member = getter;
			getter.setAccessible(true); // of a class that is not public
		}

		/** Throws what the getter throws. */
		Object get(Object object) throws Throwable {
			if (member instanceof Field) return ((Field) member).get(object);
			try {
				return ((Method) member).invoke(object);
			} catch (InvocationTargetException error) {
				throw error.getCause();
			}
		}
	}
}
