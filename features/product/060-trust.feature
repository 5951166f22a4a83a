@own-endpoint @emulator-only @tls
Feature: When somebody else answers in MESH's place
  What a product does when whoever answers at MESH's address cannot prove that it is MESH. A token, or a
  message, that is sent to somebody else is in wrong hands: the product must end the connection before.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @req-TRUST-01 @req-TRUST-05 @req-UNAVAILABLE-03 @req-SEND-04
  Scenario Outline: A send, and a certificate <that is wrong>
    Proves: the product sends neither its token nor the message to whoever has such a certificate, does not
    take the message for sent, and sends it when MESH answers again.

    If it fails: give the HTTP library the authority in MESH_CA_FILE, and do not switch its verification off:
    a proxy that reads along for a developer reads along for anybody.

    Given whoever answers at MESH's address has a certificate <that is wrong>
    When the product is asked to send a message of 4096 bytes to the counterpart
    Then the product sends nothing to whoever that is
    And the product does not take the failure for a success
    And the product does not call again and again
    When MESH is well again
    And the product is asked to send the message again
    Then the message is sent
    And the counterpart has the message once

    Examples:
      | that is wrong        |
      | of another authority |
      | signed by itself     |

  @req-TRUST-02 @req-TRUST-05 @req-UNAVAILABLE-03 @req-SEND-04
  Scenario: A send, and a certificate for another host
    Proves: the product looks for its own address among the names of the certificate. That the right authority
    has issued it is not enough: every supplier has one of its.

    If it fails: do not switch the check of the host's name off. Where MESH is called by another name than its
    own, through a tunnel say, tell the HTTP library which name to expect.

    Given whoever answers at MESH's address has a certificate for another host
    When the product is asked to send a message of 4096 bytes to the counterpart
    Then the product sends nothing to whoever that is
    And the product does not take the failure for a success
    And the product does not call again and again
    When MESH is well again
    And the product is asked to send the message again
    Then the message is sent
    And the counterpart has the message once

  @req-TRUST-03 @req-TRUST-05 @req-UNAVAILABLE-03 @req-SEND-04
  Scenario Outline: A send, and a certificate <out of time>
    Proves: the product looks at the dates of the certificate.

    If it fails: a check that is made by hand must look at both dates. See that the clock is right as well.

    Given whoever answers at MESH's address has a certificate <out of time>
    When the product is asked to send a message of 4096 bytes to the counterpart
    Then the product sends nothing to whoever that is
    And the product does not take the failure for a success
    And the product does not call again and again
    When MESH is well again
    And the product is asked to send the message again
    Then the message is sent
    And the counterpart has the message once

    Examples:
      | out of time            |
      | that has expired       |
      | that is not valid yet  |

  @req-TRUST-04 @req-TRUST-05 @req-UNAVAILABLE-03 @req-SEND-04
  Scenario: A send, and a certificate for clients alone
    Proves: the product does not take for MESH whoever has a certificate that is for clients, by its extended
    key usage, although the right authority has issued it and the name is right.

    If it fails: have the TLS library verify for the purpose of a server, as it does unless it is told otherwise.

    Given whoever answers at MESH's address has a certificate for clients alone
    When the product is asked to send a message of 4096 bytes to the counterpart
    Then the product sends nothing to whoever that is
    And the product does not take the failure for a success
    And the product does not call again and again
    When MESH is well again
    And the product is asked to send the message again
    Then the message is sent
    And the counterpart has the message once

  @req-TRUST-01 @req-TRUST-02 @req-TRUST-05 @req-UNAVAILABLE-03
  Scenario Outline: A handshake, and a certificate <that is wrong>
    Proves: the product does not show its token to whoever has such a certificate, and does not take its mailbox
    for validated. It may do so with another client than its sends.

    If it fails: verify wherever the product connects, also where it only looks whether MESH is there.

    Given whoever answers at MESH's address has a certificate <that is wrong>
    When the product is asked to validate its mailbox
    Then the product sends nothing to whoever that is
    And the product does not take the failure for a success
    And the product does not call again and again
    When MESH is well again
    And the product is asked to validate its mailbox
    Then the product does not take the failure for a success
    When the product checks its inbox

    Examples:
      | that is wrong        |
      | of another authority |
      | for another host     |

  @req-TRUST-01 @req-TRUST-02 @req-TRUST-05 @req-UNAVAILABLE-03 @req-LOSS-02
  Scenario Outline: A poll cycle, and a certificate <that is wrong>
    Proves: the product does not show its token to whoever has such a certificate, does not take its inbox for
    empty, and takes the messages when MESH answers again.

    If it fails: verify wherever the product connects, and take a connection that was refused for a failure.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And whoever answers at MESH's address has a certificate <that is wrong>
    When the product is asked for a poll cycle
    Then the product sends nothing to whoever that is
    And the product does not take the failure for a success
    And the product does not call again and again
    When MESH is well again
    And the product is asked for a poll cycle
    Then the product has taken everything that waited

    Examples:
      | that is wrong        |
      | of another authority |
      | for another host     |
