"""How the model of words is made: labelled texts, sentences of our own, fitting, figures."""
