"""The month as a message, and the ways it leaves: by a server, into a folder, onto the console.

Texts and pictures come in; a message goes out, the same bytes on every run, and whether it was
handed over. What is sent to whom is decided above (`mailing`); nobody is chosen here.
"""

from reportgen.mail.message import (
    Attachment,
    Picture,
    addressed,
    alert,
    attached_name,
    draft,
    draft_name,
    message_id,
    subject_of,
)
from reportgen.mail.smtp import Login
from reportgen.mail.transports import (
    Envelope,
    Folder,
    Handed,
    ServerError,
    Transport,
    transport,
)

__all__ = ["Attachment", "Envelope", "Folder", "Handed", "Login", "Picture", "ServerError",
           "Transport", "addressed", "alert", "attached_name", "draft",
           "draft_name", "message_id", "subject_of", "transport"]
