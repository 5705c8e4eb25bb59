"""Adapting the encoder to an instance's own texts: pairs from the corpus, training, a trial, and the models that came of it.

    pairs      what to learn from: questions that a passage's own words make, and gold questions
    training   the encoder learns which passage belongs to which question, on this machine, in bounded time
    trial      whether the result finds more, on documents that neither training nor the choice of weights has seen
    models     the model folders of an instance, and which of them is in use
    rebuilding a second index beside the live one, filled with the new encoder's vectors, and the change from one to the other

Nothing is downloaded and nothing leaves; a model that is not significantly better is not kept for use.
"""
