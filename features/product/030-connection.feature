@own-endpoint @emulator-only
Feature: When the connection fails
  What a product does when a connection ends too early, or an answer comes late.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @req-LOSS-01 @req-LOSS-02
  Scenario: The connection ends in the middle of a download
    Proves: the product does not acknowledge a message of which half came, takes it again with the next poll
    cycle, and holds it whole.

    If it fails: compare what came with Content-Length before it is kept. Many HTTP libraries do so, if
    their errors are not passed over.

    Given the counterpart has sent 2 messages of 20000 bytes to the product
    And the connection will end in the middle of the product's next download
    When the product is asked for a poll cycle
    Then the product has acknowledged nothing that it had not downloaded whole
    And the product does not call again and again
    When the product is asked for a poll cycle
    Then the product has taken everything that waited

  @optional-chunking @req-LOSS-01 @req-LOSS-02 @req-LARGE-01
  Scenario: The connection ends in the middle of a chunk
    Proves: the product does not acknowledge a message of which a chunk broke off, and has it whole in the
    end.

    If it fails: a chunk may be asked for again, alone. A message is whole when each of its chunks is.

    Given the counterpart has sent a large message in chunks to the product
    And the connection will end in the middle of the product's next downloaded chunk
    When the product is asked for a poll cycle
    Then the product has acknowledged nothing that it had not downloaded whole
    When the product is asked for a poll cycle
    Then the product has the message whole, chunk by chunk

  @req-LOSS-02 @req-UNAVAILABLE-01
  Scenario: The connection ends in the middle of the inbox's list
    Proves: the product does not take half a list for a list, and takes everything with the next poll cycle.

    If it fails: a list that cannot be read is a failure, and not an empty inbox.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And the connection will end in the middle of the product's next inbox check
    When the product is asked for a poll cycle
    Then the product does not call again and again
    And the product does not take the failure for a success
    When the product is asked for a poll cycle
    Then the product has taken everything that waited

  @req-LOSS-01 @req-LOSS-02
  Scenario: The answer to an acknowledgement is lost
    Proves: the product holds a message that MESH has let go of, although it was not told so.

    If it fails: keep a message before it is acknowledged, and keep it whatever is answered to that.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And the answer to the product's next acknowledgement will be lost
    When the product is asked for a poll cycle
    Then the product does not call again and again
    When the product is asked for a poll cycle
    Then the product has taken everything that waited

  @req-SEND-04 @req-SEND-05
  Scenario: The answer to a send is lost
    Proves: the product does not take for sent what was not answered, and does not send it again by itself:
    MESH has accepted it, and its recipient would have it twice. To send again is a warning.

    If it fails: look with the local ID whether the message was accepted (Track outbox), or ask a person.

    Given the answer to the product's next send will be lost
    When the product is asked to send a message of 4096 bytes to the counterpart
    Then the product does not take the failure for a success
    And the product does not blindly send it again
    And the counterpart has the message once

  @slow @req-SEND-05
  Scenario: The answer to a send is late
    Proves: the product waits for an answer of two seconds, and sends once. Not to wait, and to send again,
    is a warning.

    If it fails: raise the time limit of the HTTP client, and do not have it repeat a POST.

    Given the answer to the product's next send will be 2 seconds late
    When the product is asked to send a message of 4096 bytes to the counterpart
    Then the product waits for the answer
    And the product does not blindly send it again
    And the counterpart has the message once

  @slow @req-LOSS-01 @req-LOSS-02
  Scenario: The answer to a download is late
    Proves: the product waits for a download of which nothing comes for two seconds, or takes it later. Not
    to wait is a warning.

    If it fails: raise the time limit of the HTTP client.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And the answer to the product's next download will be 2 seconds late
    When the product is asked for a poll cycle
    Then the product waits for the answer
    When the product is asked for a poll cycle
    Then the product has taken everything that waited
