/** XML schema of the part of XML Encryption that KMS documents use: a wrapped key (TS 33.180 9.3.4.2). */
export const XENC_XSD = `<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="http://www.w3.org/2001/04/xmlenc#"
    targetNamespace="http://www.w3.org/2001/04/xmlenc#" elementFormDefault="qualified">

  <xs:complexType name="EncryptedType">
    <xs:sequence>
      <xs:element name="EncryptionMethod" minOccurs="0">
        <xs:complexType mixed="true">
          <xs:sequence>
            <xs:element name="KeySize" type="xs:integer" minOccurs="0"/>
            <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
          </xs:sequence>
          <xs:attribute name="Algorithm" type="xs:anyURI" use="required"/>
        </xs:complexType>
      </xs:element>
      <xs:any namespace="http://www.w3.org/2000/09/xmldsig#" processContents="lax" minOccurs="0"/>
      <xs:element name="CipherData">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="CipherValue" type="xs:base64Binary"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
      <xs:element name="EncryptionProperties" type="xs:anyType" minOccurs="0"/>
    </xs:sequence>
    <xs:attribute name="Id" type="xs:ID"/>
    <xs:attribute name="Type" type="xs:anyURI"/>
    <xs:attribute name="MimeType" type="xs:string"/>
    <xs:attribute name="Encoding" type="xs:anyURI"/>
  </xs:complexType>

  <xs:element name="EncryptedKey">
    <xs:complexType>
      <xs:complexContent>
        <xs:extension base="EncryptedType">
          <xs:sequence>
            <xs:element name="ReferenceList" type="xs:anyType" minOccurs="0"/>
            <xs:element name="CarriedKeyName" type="xs:string" minOccurs="0"/>
          </xs:sequence>
          <xs:attribute name="Recipient" type="xs:string"/>
        </xs:extension>
      </xs:complexContent>
    </xs:complexType>
  </xs:element>

  <xs:element name="EncryptedData" type="EncryptedType"/>
</xs:schema>
`;
