@own-endpoint @emulator-only
Feature: When MESH is not available
  What a product does when the gateway in front of MESH answers 503, with a body of XML, or 429. No
  message may be lost by it, and nothing taken for done that was not.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @req-UNAVAILABLE-01 @req-UNAVAILABLE-03 @req-LOSS-02
  Scenario: The inbox check is answered with 503
    Proves: the product does not take 503 with a body of XML for an empty inbox, does not call again and
    again, and takes the messages when MESH is well again.

    If it fails: look at the status before the body is read, and wait between two attempts.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And every inbox check of the product's will be answered with 503
    When the product is asked for a poll cycle
    Then the product does not call again and again
    And the product does not take the failure for a success
    When MESH is well again
    And the product is asked for a poll cycle
    Then the product has taken everything that waited

  @slow @req-UNAVAILABLE-01 @req-UNAVAILABLE-02 @req-UNAVAILABLE-03 @req-LOSS-02
  Scenario: The inbox check is to be tried again later, by 503
    Proves: the product makes no call before the time is over that 503 names in Retry-After. Not to wait
    is a warning: no document of MESH's asks for it.

    If it fails: read Retry-After, in seconds, of every answer 503.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And the product's next inbox check will be answered with 503, to be tried again after 2 seconds
    When the product is asked for a poll cycle
    Then the product waits as long as it was asked to
    And the product does not call again and again
    And the product does not take the failure for a success
    When the time is over that MESH asked the product to wait
    And the product is asked for a poll cycle
    Then the product has taken everything that waited

  @slow @req-UNAVAILABLE-01 @req-UNAVAILABLE-02 @req-UNAVAILABLE-03 @req-LOSS-02
  Scenario: The inbox check is to be tried again later, by 429
    Proves: the product takes 429, too many requests, as it takes 503.

    If it fails: read Retry-After, in seconds, of every answer 429.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And the product's next inbox check will be answered with 429, to be tried again after 2 seconds
    When the product is asked for a poll cycle
    Then the product waits as long as it was asked to
    And the product does not call again and again
    And the product does not take the failure for a success
    When the time is over that MESH asked the product to wait
    And the product is asked for a poll cycle
    Then the product has taken everything that waited

  @req-UNAVAILABLE-01 @req-UNAVAILABLE-03
  Scenario: The handshake is answered with 503
    Proves: the product does not take its mailbox for validated, and can act when MESH is well again.

    If it fails: a body that cannot be read is a failure of the call, and no reason to end.

    Given every handshake of the product's will be answered with 503
    When the product is asked to validate its mailbox
    Then the product does not call again and again
    And the product does not take the failure for a success
    When MESH is well again
    And the product is asked to validate its mailbox
    Then the product does not take the failure for a success
    When the product checks its inbox

  @req-UNAVAILABLE-01 @req-UNAVAILABLE-03 @req-SEND-04 @req-SEND-05
  Scenario: A send is answered with 503
    Proves: the product does not take the message for sent, and sends it when it is asked again. Whoever
    has it repeated does so with the same local ID.

    If it fails: a message is sent when MESH has answered 202 with a message ID, and not before.

    Given every send of the product's will be answered with 503
    When the product is asked to send a message of 4096 bytes to the counterpart
    Then the product does not take the failure for a success
    And the product does not call again and again
    And the product does not blindly send it again
    When MESH is well again
    And the product is asked to send the message again
    Then the message is sent
    And the counterpart has the message once

  @optional-chunking @req-UNAVAILABLE-01 @req-UNAVAILABLE-03 @req-SEND-04
  Scenario: A chunk that is sent is answered with 503
    Proves: the product does not take a message for sent of which a chunk was not accepted, and sends it
    whole when it is asked again.

    If it fails: look at the answer to each chunk. One that was not accepted may be sent again.

    Given every sent chunk of the product's will be answered with 503
    When the product is asked to send a large message in chunks to the counterpart
    Then the product does not take the failure for a success
    And the product does not call again and again
    When MESH is well again
    And the product is asked to send the message again
    Then the message is sent
    And the counterpart has the message once

  @req-UNAVAILABLE-03 @req-LOSS-01 @req-LOSS-02
  Scenario: A download is answered with 503
    Proves: the product acknowledges nothing that it was not given, and takes the message with the next
    poll cycle.

    If it fails: acknowledge after a download was answered 200, and at no other time.

    Given the counterpart has sent 3 messages of 512 bytes to the product
    And every download of the second message will be answered with 503
    When the product is asked for a poll cycle
    Then the product has acknowledged nothing that it had not downloaded whole
    And the product does not call again and again
    When MESH is well again
    And the product is asked for a poll cycle
    Then the product has taken everything that waited

  @optional-chunking @req-UNAVAILABLE-03 @req-LOSS-01 @req-LOSS-02 @req-LARGE-01
  Scenario: A chunk that is downloaded is answered with 503
    Proves: the product does not take a message for whole of which it was not given a chunk, acknowledges
    nothing of it, and has it whole with the next poll cycle.

    If it fails: a download goes on after 206 and ends at 200. Any other answer ends it without the message.

    Given the counterpart has sent a large message in chunks to the product
    And every downloaded chunk of the product's will be answered with 503
    When the product is asked for a poll cycle
    Then the product has acknowledged nothing that it had not downloaded whole
    And the product does not call again and again
    When MESH is well again
    And the product is asked for a poll cycle
    Then the product has the message whole, chunk by chunk

  @req-UNAVAILABLE-03 @req-LOSS-01 @req-LOSS-02
  Scenario: An acknowledgement is answered with 503
    Proves: the product acknowledges again, with the next poll cycle, what MESH still lists. It may download
    it again for that.

    If it fails: a message that is listed is not done, even if it is held already. After five days MESH
    tells its sender that nobody has collected it.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And the product's next acknowledgement will be answered with 503
    When the product is asked for a poll cycle
    Then the product does not call again and again
    When MESH is well again
    And the product is asked for a poll cycle
    Then the product has taken everything that waited
