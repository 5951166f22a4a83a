# A feature file is plain text. Lines that begin with # are comments.
# `mesh-witness steps` lists every step, with an example of each.

Feature: Our own scenarios
  What is said here, before the first scenario, is for people.

  # Played before every scenario of this file.
  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  # @case-… is the number by which the report names the scenario. @req-… names a requirement of
  # requirements.yaml, in this folder, or of the catalogue that is built in; there may be several.
  @case-OWN-1 @req-OWN-01
  Scenario: A small message arrives unaltered
    Proves: the payload of one byte arrives as it was sent.

    If it fails: the first step that did not pass says what was expected and what was seen.

    When the product sends a message of 1 bytes to the counterpart
    Then MESH accepts the message and gives it a message ID
    When the counterpart collects the message
    Then the payload that arrived is the payload that was sent
    And the message is gone from the counterpart's inbox
