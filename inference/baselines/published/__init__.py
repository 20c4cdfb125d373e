"""Published checkpoint files of CheXzero, MedCLIP and BioViL-T -> systems that judge a film beside ours.

None of these files is shipped: a user who has them gives their paths. They were trained on films and reports of adults,
and are published for research: what they say of a child's film is a comparison, never an answer.
"""
