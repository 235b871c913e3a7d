# frozen_string_literal: true

# A Rack request with the methods that Sinatra adds to it. Loaded after rack.

module KubelessWorker
  class RackRequest < ::Rack::Request
    # Returns the media types that the caller accepts, without their `q`, the preferred one first.
    def accept
      @accept ||= begin
        header = get_header('HTTP_ACCEPT').to_s
        header.strip.empty? ? ['*/*'] : accepted_types(header)
      end
    end

    # Returns the first of the given types that the caller prefers, or nil if it accepts none of
    # them. Without types: the type that the caller prefers.
    def preferred_type(*types)
      types = types.flatten
      return accept.first if types.empty?

      accept.each do |range|
        found = types.find { |type| within?(type, range) }
        return found if found
      end
      nil
    end

    def accept?(type)
      !preferred_type(type).nil?
    end

    def secure?
      ssl?
    end

    def forwarded?
      has_header?('HTTP_X_FORWARDED_HOST')
    end

    def safe?
      get? || head? || options? || trace?
    end

    def idempotent?
      safe? || put? || delete? || link? || unlink?
    end

    private

    # Sorted by `q`, then the more exact type first, then in the caller's order (RFC 9110, 12.5.1).
    def accepted_types(header)
      found = header.scan(/[^,"]*(?:"(?:[^"\\]|\\.)*"[^,"]*)*/).map(&:strip).reject(&:empty?).map do |entry|
        type, *parameters = entry.split(/\s*;\s*/)
        quality, parameters = parameters.partition { |parameter| parameter.match?(/\Aq=/i) }
        [[type.downcase, *parameters].join(';'), quality.empty? ? 1.0 : quality[0][2..-1].to_f, parameters.size]
      end
      found = found.reject { |_, quality, _| quality <= 0 }
      found = found.each_with_index.sort_by do |(type, quality, parameters), index|
        [-quality, type.count('*'), -parameters, index]
      end
      found.map { |(type, _, _), _| type }
    end

    def within?(type, range)
      name, *parameters = type.to_s.split(/\s*;\s*/)
      accepted, *needed = range.split(';')
      return false unless File.fnmatch(accepted, name.downcase)

      parameters.empty? || (needed - parameters).empty?
    end
  end
end
