"""The questions of ``validate``, by what they ask about. The answers do not name the junction: ``validate`` does."""
