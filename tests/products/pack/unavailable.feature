@own-endpoint @emulator-only
Feature: An inbox check that MESH does not answer
  As the pack "product" has it: the rules over all of the traffic see it too.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @case-503 @req-UNAVAILABLE-03
  Scenario: The inbox check is answered with 503
    Given every inbox check of the product's will be answered with 503
    When the product is asked for a poll cycle
    Then the product does not take the failure for a success

  @case-429 @req-UNAVAILABLE-02
  Scenario: The inbox check is to be tried again later, by 429
    Given the product's next inbox check will be answered with 429, to be tried again after 2 seconds
    When the product is asked for a poll cycle
    Then the product does not take the failure for a success
