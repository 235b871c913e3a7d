WORD = 'the word'
