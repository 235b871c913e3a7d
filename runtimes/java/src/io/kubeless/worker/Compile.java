package io.kubeless.worker;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;

/**
 * Compiles a function's file for the local command.
 *
 * The file, and what it refers to, has to be right, and is compiled into `own`. The other Java
 * files of its folder may be named in text only (Class.forName, configuration), or belong to other
 * functions: they are compiled into `others` as far as they are right.
 */
final class Compile {
	/** With more files beside the function's, only those that it refers to are compiled. */
	private static final int MAX_OTHERS = 200;
	private static final int MAX_ATTEMPTS = 5;
	private static final int MAX_DEPTH = 10;
	private static final Pattern PACKAGE = Pattern.compile("(?m)^[ \\t]*package[ \\t]+([\\w.]+)[ \\t]*;");
	/** folders with files that are no source of the function */
	private static final Set<String> SKIPPED = Collections.unmodifiableSet(
			new HashSet<>(Arrays.asList("node_modules", "target", "src/test", "function")));

	private final JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
	private final File folder;
	private final File target;
	private final String classPath;
	private final Map<String, List<Source>> sources = new LinkedHashMap<>();

	private Compile(File folder, File target, String classPath) {
		this.folder = folder;
		this.target = target;
		this.classPath = classPath;
	}

	/**
	 * Returns the compiler's errors; an empty text if the compilation succeeded.
	 *
	 * @param target gets the folders `own` and, if there are other classes, `others`
	 * @param classPath entries joined by ":"
	 */
	static String compile(File file, File target, String classPath) throws IOException {
		return new Compile(file.getParentFile(), target, classPath).compile(file.toPath());
	}

	private String compile(Path file) throws IOException {
		Source main = new Source(file);
		add(main);
		List<Source> others = new ArrayList<>();
		for (Path path : javaFiles(folder.toPath())) {
			if (path.equals(file)) continue;
			Source source = new Source(path);
			add(source);
			others.add(source);
		}
		File own = new File(target, "own");
		DiagnosticCollector<JavaFileObject> errors = run(Collections.singletonList(main), own, classPath, roots(main));
		if (errors != null) return text(errors);
		others.removeIf(source -> source.compiled);
		if (others.size() <= MAX_OTHERS) compileOthers(others, own);
		return "";
	}

	/**
	 * Compiles the files without errors: leaves out those with errors, and then those that refer to
	 * them.
	 */
	private void compileOthers(List<Source> others, File own) throws IOException {
		sources.values().forEach(list -> list.removeIf(source -> source.compiled)); // compiled into `own`
		for (int attempt = 0; attempt < MAX_ATTEMPTS && !others.isEmpty(); attempt++) {
			DiagnosticCollector<JavaFileObject> errors =
					run(others, new File(target, "others"), own + File.pathSeparator + classPath, Collections.emptyList());
			if (errors == null) return;
			List<JavaFileObject> broken = errors.getDiagnostics().stream().filter(Compile::isError).map(Diagnostic::getSource)
					.collect(Collectors.toList());
			if (!others.removeIf(broken::contains)) return;
			sources.values().forEach(list -> list.removeIf(broken::contains));
		}
	}

	/** Returns null if all is compiled, otherwise what the compiler reports. */
	private DiagnosticCollector<JavaFileObject> run(List<Source> files, File classes, String path, List<File> roots) throws IOException {
		Files.createDirectories(classes.toPath());
		DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
		List<String> options = new ArrayList<>(Arrays.asList("-g", "-parameters", "-nowarn", "-implicit:class", "-encoding", "UTF-8"));
		// Annotation processors run by default up to Java 22; 21 and 22 print a note without the option.
		String version = System.getProperty("java.specification.version");
		if (!version.startsWith("1.") && Integer.parseInt(version) >= 21) options.add("-proc:full");
		try (StandardJavaFileManager standard = compiler.getStandardFileManager(diagnostics, Locale.ROOT, StandardCharsets.UTF_8)) {
			// Java 8 ignores the options -d and -cp once a location is set.
			standard.setLocation(StandardLocation.SOURCE_PATH, roots);
			standard.setLocation(StandardLocation.CLASS_OUTPUT, Collections.singletonList(classes));
			standard.setLocation(StandardLocation.CLASS_PATH,
					Arrays.stream(path.split(File.pathSeparator)).filter(entry -> !entry.isEmpty()).map(File::new).collect(Collectors.toList()));
			boolean done = compiler.getTask(new StringWriter(), new SourceManager(standard), diagnostics, options, null, files).call();
			return done ? null : diagnostics;
		}
	}

	/**
	 * Returns the folders in which packages are looked up by their folder: Maven's, and the one above
	 * the file's package.
	 */
	private List<File> roots(Source main) {
		List<File> roots = new ArrayList<>();
		String folders = File.separator + main.packageName.replace('.', File.separatorChar);
		String place = folder.getPath();
		if (place.endsWith(folders)) roots.add(new File(place.substring(0, place.length() - folders.length()) + File.separator));
		roots.add(new File(folder, "src/main/java"));
		roots.removeIf(root -> !root.isDirectory());
		return roots;
	}

	private void add(Source source) {
		sources.computeIfAbsent(source.packageName, name -> new ArrayList<>()).add(source);
	}

	/** Returns the Java files of a folder, as java_files in java.sh finds them. */
	private static List<Path> javaFiles(Path folder) throws IOException {
		try (Stream<Path> files = Files.walk(folder, MAX_DEPTH, FileVisitOption.FOLLOW_LINKS)) {
			return files.filter(file -> file.getFileName().toString().endsWith(".java") && isSource(folder.relativize(file)))
					.filter(Files::isRegularFile).sorted().collect(Collectors.toList());
		} catch (UncheckedIOException unreadable) { // a folder without permission, or a loop of links
			return Collections.emptyList();
		}
	}

	private static boolean isSource(Path file) {
		String above = "";
		for (Path part : file) {
			String name = part.toString();
			if (name.startsWith(".") || SKIPPED.contains(above + name) || name.equals("node_modules") || name.equals("target")) return false;
			above += name + "/";
		}
		return true;
	}

	private static boolean isError(Diagnostic<?> diagnostic) {
		return diagnostic.getKind() == Diagnostic.Kind.ERROR;
	}

	/**
	 * Returns the errors as javac prints them, with the names of files relative to the function's
	 * folder.
	 */
	private String text(DiagnosticCollector<JavaFileObject> errors) {
		return errors.getDiagnostics().stream().filter(Compile::isError)
				.map(error -> error.toString().replace(folder.getPath() + File.separator, ""))
				.collect(Collectors.joining("\n"));
	}

	/** A source file, of any name: Kubeless has all files in one folder, whatever their package is. */
	private static final class Source extends SimpleJavaFileObject {
		private static final Pattern SUFFIX = Pattern.compile("\\.java$");
		final String packageName;
		private final String text;
		private final String name;
		/** the compiler has read it */
		boolean compiled;

		Source(Path file) throws IOException {
			super(file.toUri(), Kind.SOURCE);
			text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
			name = SUFFIX.matcher(file.getFileName().toString()).replaceFirst("");
			Matcher matcher = PACKAGE.matcher(text);
			packageName = matcher.find() ? matcher.group(1) : "";
		}

		String binaryName() {
			return packageName.isEmpty() ? name : packageName + '.' + name;
		}

		@Override
		public CharSequence getCharContent(boolean ignoreEncodingErrors) {
			compiled = true;
			return text;
		}

		@Override
		public boolean isNameCompatible(String simpleName, Kind kind) {
			return kind == Kind.SOURCE && simpleName.equals(name);
		}
	}

	/** Offers the sources of a package wherever they are. */
	private final class SourceManager extends ForwardingJavaFileManager<JavaFileManager> {
		SourceManager(JavaFileManager standard) {
			super(standard);
		}

		@Override
		public Iterable<JavaFileObject> list(Location location, String packageName, Set<JavaFileObject.Kind> kinds, boolean recurse)
				throws IOException {
			Iterable<JavaFileObject> standard = super.list(location, packageName, kinds, recurse);
			Collection<Source> own = sources.getOrDefault(packageName, Collections.emptyList());
			if (location != StandardLocation.SOURCE_PATH || own.isEmpty() || !kinds.contains(JavaFileObject.Kind.SOURCE)) return standard;
			Map<URI, JavaFileObject> found = new LinkedHashMap<>();
			for (Source source : own) found.put(source.toUri(), source);
			for (JavaFileObject file : standard) found.putIfAbsent(file.toUri(), file);
			return found.values();
		}

		@Override
		public String inferBinaryName(Location location, JavaFileObject file) {
			return file instanceof Source ? ((Source) file).binaryName() : super.inferBinaryName(location, file);
		}

		@Override
		public boolean isSameFile(FileObject a, FileObject b) {
			return a.toUri().equals(b.toUri());
		}
	}
}
