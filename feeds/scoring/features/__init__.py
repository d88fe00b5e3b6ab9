"""What a text is taken apart into: classes and rules, phrases, the analyzer's tone, and features of them all."""
