# frozen_string_literal: true

# Makes the event of a `call` frame.

require 'json'

module KubelessWorker
  # event[:extensions]. Makes `request` when the function first reads it.
  class Extensions < Hash
    def initialize(call)
      super()
      @call = call
    end

    def default(key = nil)
      self[:request] = Request.of(@call) if key == :request
    end

    def key?(key)
      key == :request || super
    end
    alias has_key? key?
    alias include? key?
    alias member? key?

    def fetch(key, *)
      self[key] if key == :request
      super
    end

    # Methods of Hash that look at all keys do not call `default`.
    %i[
      == each each_pair each_key each_value keys values values_at fetch_values to_a to_h to_hash to_proc length
      size count empty? any? map select filter reject find merge merge! update slice transform_values
      transform_keys inspect to_s dup clone delete
    ].each do |name|
      next unless Hash.method_defined?(name)

      define_method(name) do |*args, &block|
        self[:request]
        super(*args, &block)
      end
    end

    # For `in {request:}`.
    def deconstruct_keys(_keys)
      self[:request]
      self
    end
  end

  module Event
    UTF8_BOM = "\xEF\xBB\xBF"
    OPTIONS = { max_nesting: Result::MAX_NESTING }.freeze
    # A pair of surrogates, a lone surrogate, or any other escape.
    SURROGATE = /\\u[dD][89a-fA-F]/.freeze
    ESCAPE = /(\\u[dD][89abAB]\h\h\\u[dD][c-fC-F]\h\h)|(\\u[dD][89a-fA-F]\h\h)|\\./m.freeze

    module_function

    # Returns the event. Raises BodyMalformed if the body has to be JSON and is not.
    def of(call)
      extensions = Extensions.new(call)
      data = call.data
      data.force_encoding(Encoding::UTF_8)
      data.force_encoding(Encoding::BINARY) unless data.valid_encoding?
      data = parse(data) if call.json && !data.empty?
      if call.plain
        return { data: data, 'event-id': nil, 'event-type': nil, 'event-time': nil, 'event-namespace': nil,
                 extensions: extensions }
      end

      fields = call.fields
      attributes = fields['extensions']
      attributes.each_pair { |name, value| extensions[name.to_sym] = value unless name == 'request' } if attributes
      {
        data: data,
        'event-id': fields['event-id'],
        'event-type': fields['event-type'],
        'event-time': fields['event-time'],
        'event-namespace': fields['event-namespace'],
        extensions: extensions
      }
    end

    # The json library refuses a lone surrogate or joins it to the next escape, so such an escape is
    # replaced before: a String in UTF-8 cannot hold it.
    def parse(body)
      raise BodyMalformed, 'the body is not JSON: it is not UTF-8' if body.encoding == Encoding::BINARY

      text = body.start_with?(UTF8_BOM) ? body[UTF8_BOM.size..-1] : body
      text = text.gsub(ESCAPE) { |escape| $2 ? '\ufffd' : escape } if SURROGATE.match?(text)
      JSON.parse(text, OPTIONS)
    rescue JSON::ParserError, EncodingError => error
      raise BodyMalformed, "the body is not JSON: #{Errors.utf8(error.message)[0, 200]}"
    end
  end
end
