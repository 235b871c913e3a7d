module Words
  NUMBERS = %w[none one two three four five six seven eight nine].freeze

  def self.of(number)
    NUMBERS[number] || 'many'
  end
end
