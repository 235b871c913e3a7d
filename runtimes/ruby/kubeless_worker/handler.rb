# frozen_string_literal: true

# Finds and loads the function (PROTOCOL.md, chapter 3).

module KubelessWorker
  # What `failed` says.
  class LoadFailure < StandardError
    attr_reader :fields

    def initialize(code, message, **more)
      super(message)
      @fields = { type: 'failed', code: code, message: message, **more }
    end
  end

  # The function's file, evaluated in a module of its own as Kubeless has always done: what it defines gets in nobody's way.
  class Handler
    class << self
      attr_reader :namespace, :source, :file
    end

    # -> [the handler, its name]
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
      raise LoadFailure.new('HANDLER_NOT_FOUND', "there is no method #{name} in #{@base}#{hint(name, known)}", handlers: known)
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
      stack = error.is_a?(SyntaxError) ? {} : { stack: Errors.stack_of(error) } # where it is stands in its message
      raise LoadFailure.new('HANDLER_FAILED_TO_LOAD', explain(error), **stack)
    end

    # `LoadError: cannot load such file -- humanize (hello.rb, line 3); …`
    def explain(error)
      message = Errors.message_of(error)
      place = error.is_a?(SyntaxError) ? nil : Errors.place_of(error, File.dirname(@file))
      message += " (#{place})" if place
      case error
      when LoadError then message += "; #{missing}"
      when SystemExit then message += "; a function's file is loaded once and must not end the process"
      end
      message
    end

    def missing
      gemfile = File.join(File.dirname(@file), 'Gemfile')
      if File.exist?(gemfile) && !File.read(gemfile).strip.empty?
        "is everything in the Gemfile installed, and for Ruby #{RUBY_VERSION[/\A\d+\.\d+/]}?"
      else
        'list what the function needs in a Gemfile beside it'
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
          "#{@base} has several methods: say which one with FUNC_HANDLER (#{known.join(', ')})"
        end
      raise LoadFailure.new('HANDLER_NOT_FOUND', message, handlers: known)
    end

    def hint(name, known)
      close = defined?(DidYouMean::SpellChecker) ? DidYouMean::SpellChecker.new(dictionary: known).correct(name).first : nil
      close ||= known.find { |other| other.casecmp(name) == 0 }
      return ": did you mean #{close}?" if close

      known.empty? ? ": write one, `def #{name}(event, context)`" : ": it has #{known.join(', ')}"
    end

    # Also one that a file required by the function's has defined; not what every Ruby object can do.
    def method_of(name)
      method = Kernel.instance_method(:method).bind(@namespace).call(name)
      method if method.source_location && !method.source_location[0].start_with?(*Errors::OURS, '<internal:')
    rescue NameError
      nil
    end

    # The methods of the file that take an event and a context, in its order.
    def candidates
      own = Module.instance_method(:instance_methods).bind(@namespace).call(false)
      own = own.map { |name| Module.instance_method(:instance_method).bind(@namespace).call(name) }
      own = own.select { |method| method.arity == 2 || (method.arity < 0 && method.arity >= -3) }
      own.sort_by { |method| method.source_location || ['', 0] }.map { |method| method.name.to_s }
    end
  end
end

# Where a function's file is evaluated; its classes are called KubelessFunction::… for that.
module KubelessFunction
end

# Out here, and without a variable of its own: the file sees the constants and the variables around this line.
def (KubelessWorker::Handler).evaluate
  namespace.module_eval(source, file, 1)
end
