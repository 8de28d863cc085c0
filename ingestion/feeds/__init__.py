"""What is fetched instead of dropped: endpoints, databases, servers' folders. What they give lands as files, and then goes the one way."""
