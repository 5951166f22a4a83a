@endpoint @emulator-only
Feature: Messages to a patient's practice
  An address may name a patient in place of a mailbox, for workflows that allow it. What cannot be
  delivered so is reported (NHS guide to the MESH endpoint lookup). Sources disagree on the order of the
  date of birth.

  Background:
    Given a sender and a receiver, each with a mailbox
    And the next call has the header mex-workflowid set to "GPCONNECT_SEND_DOCUMENT"

  @req-PATIENT-01
  Scenario: A message goes to the patient's practice
    Given a patient whose practice has the receiver's mailbox
    And the next call has the header mex-to set to "GPPROVIDER_{patient}_30041957_SMITH"
    When the sender sends a message
    Then the answer is 202
    When the receiver downloads the message
    Then the answer is 200
    And the content is what was sent

  @req-PATIENT-02
  Scenario Outline: What cannot be delivered to a practice is reported: <what>
    Given a patient whose practice has <mailboxes>
    And the next call has the header mex-to set to "<address>"
    When the sender sends a message
    Then the answer is 202
    When the sender checks its inbox
    And the one message listed is taken for the report
    And the sender downloads the message
    Then the answer has these headers
      | mex-messagetype   | REPORT |
      | mex-statuscode    | <code> |
      | mex-statussuccess | ERROR  |

    Examples:
      | what                  | mailboxes              | address                             | code    |
      | several mailboxes     | two mailboxes          | GPPROVIDER_{patient}_30041957_SMITH | EPL-150 |
      | no mailbox            | no mailbox             | GPPROVIDER_{patient}_30041957_SMITH | EPL-151 |
      | no NHS number         | the receiver's mailbox | GPPROVIDER_1234567890_30041957_SMITH | EPL-152 |
      | nobody's NHS number   | the receiver's mailbox | GPPROVIDER_9434765919_30041957_SMITH | EPL-153 |
      | another date of birth | the receiver's mailbox | GPPROVIDER_{patient}_01011980_SMITH | EPL-154 |
      | another surname       | the receiver's mailbox | GPPROVIDER_{patient}_30041957_JONES | EPL-154 |
