Gem::Specification.new do |spec|
  spec.name = 'words'
  spec.version = '1.0.0'
  spec.summary = 'Numbers as words'
  spec.authors = ['the authors of the function']
  spec.files = ['lib/words.rb']
end
