# frozen_string_literal: true

# Loads the function's file and finds the handler in it (PROTOCOL.md, chapter 3).

module KubelessWorker
  # The function's file, evaluated in a module as Kubeless did: its names cannot clash with the
  # worker's.
  class Handler
    class << self
      attr_reader :namespace, :source, :file
    end

    # Returns the handler and its name. Raises LoadFailure.
    def self.load(file, name)
      new(file).find(name)
    end

    def initialize(file)
      @file = file
      @base = File.basename(file)
      @namespace = ::KubelessFunction.extend(::KubelessFunction)
      evaluate
    end

    def find(name)
      return only_one if name.nil? || name.empty?

      handler = method_of(name)
      return [handler, name] if handler

      known = candidates
      raise LoadFailure.new('HANDLER_NOT_FOUND', "#{@base} has no method #{name}#{hint(name, known)}", handlers: known)
    end

    private

    def evaluate
      self.class.instance_exec(@namespace, @file) do |namespace, file|
        @namespace = namespace
        @file = file
        @source = File.read(file, mode: 'r:bom|utf-8').sub(/^__END__\r?\n.*/m, '')
        evaluate
      end
    rescue Exception => error
      stack = error.is_a?(SyntaxError) ? {} : { stack: Errors.stack_of(error) } # its message has the place
      raise LoadFailure.new('HANDLER_FAILED_TO_LOAD', explain(error), **stack)
    end

    # Returns a message such as
    # `LoadError: cannot load such file -- humanize (hello.rb, line 3); …`.
    def explain(error)
      message = Errors.message_of(error)
      place = error.is_a?(SyntaxError) ? nil : Errors.place_of(error, File.dirname(@file))
      message += " (#{place})" if place
      case error
      when ::LoadError then message += "; #{missing}"
      when SystemExit then message += "; the file is loaded once and must not end the process"
      end
      message
    end

    def missing
      gemfile = File.join(File.dirname(@file), 'Gemfile')
      if File.exist?(gemfile) && !File.read(gemfile).strip.empty?
        "install what the Gemfile lists, with Ruby #{RUBY_VERSION[/\A\d+\.\d+/]}"
      else
        'list the gem in a Gemfile beside the file'
      end
    end

    def only_one
      known = candidates
      usual = ['handler', 'main', File.basename(@base, '.*')].find { |name| known.include?(name) }
      name = known.size == 1 ? known[0] : usual
      return [method_of(name), name] if name

      message =
        if known.empty?
          "#{@base} has no method of the form `def handler(event, context)`"
        else
          "#{@base} has several methods (#{known.join(', ')}): name one with FUNC_HANDLER"
        end
      raise LoadFailure.new('HANDLER_NOT_FOUND', message, handlers: known)
    end

    def hint(name, known)
      close = defined?(DidYouMean::SpellChecker) ? DidYouMean::SpellChecker.new(dictionary: known).correct(name).first : nil
      close ||= known.find { |other| other.casecmp(name) == 0 }
      return ": did you mean #{close}?" if close

      known.empty? ? ": write one, `def #{name}(event, context)`" : ": it has #{known.join(', ')}"
    end

    # Returns the method, which another file of the function may have defined, or nil. Methods of
    # every Ruby object do not count.
    def method_of(name)
      method = Kernel.instance_method(:method).bind(@namespace).call(name)
      method if method.source_location && !method.source_location[0].start_with?(*Errors::OWN_FILES, '<internal:')
    rescue NameError
      nil
    end

    # Returns the methods that can take an event and a context, in the order of the file.
    def candidates
      own = Module.instance_method(:instance_methods).bind(@namespace).call(false)
      own = own.map { |name| Module.instance_method(:instance_method).bind(@namespace).call(name) }
      own = own.select { |method| method.arity == 2 || (method.arity < 0 && method.arity >= -3) }
      own.sort_by { |method| method.source_location || ['', 0] }.map { |method| method.name.to_s }
    end
  end
end

# The function's file is evaluated in here.
module KubelessFunction
end

# At the top level and without local variables: the file sees the constants and variables around
# this line.
def (KubelessWorker::Handler).evaluate
  namespace.module_eval(source, file, 1)
end
