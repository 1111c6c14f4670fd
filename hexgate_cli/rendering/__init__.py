"""Results as text: for people, for programs (JSON, SARIF), for GitHub's annotations. Nothing here decides."""
